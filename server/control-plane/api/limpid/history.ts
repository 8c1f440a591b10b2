import { firstRevision } from "../../../config/memory-store.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import type { Commit, ConfigChange, Write } from "../../../config/store.ts";
import { type Change, type ChangeList, told } from "../../../contract/index.ts";
import { endedRun, isCanaryMove, wholeRun } from "../../canary/whole-run.ts";
import type { ApiContext } from "../context.ts";
import { historyInParts } from "../history-in-parts.ts";
import { namespaceWrites, requireNamespace } from "../namespace-contents.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, type StatusError, saidError } from "../status-error.ts";
import { changeFilterOf, selectedChange } from "./change-filter.ts";
import { answerChange } from "./change-result.ts";
import { describeChanges, toChange, undoReason } from "./change-summary.ts";
import { integerQuery, isDryRunQuery, limpidActor } from "./request.ts";
import { commitWrites } from "./transactions.ts";

const maxChanges = 1000;
/** As many commits as one call looks through for those that are asked for. */
const maxScanned = 5000;

/**
 * `?since=<unix ms>&limit=<n>[&before=<revision>]` and what `changeFilterOf` reads, newest first. Where it stopped before the history ended,
 * `next` is what to give as `before` for what follows.
 */
export async function listChanges(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const sinceMs = integerQuery(request, "since", 0, Number.MAX_SAFE_INTEGER);
  const limit = integerQuery(request, "limit", 100, maxChanges);
  const before = integerQuery(request, "before", 0, Number.MAX_SAFE_INTEGER);
  const filter = changeFilterOf(request);
  const services = await context.services();
  const changes: Change[] = [];
  const query = { sinceMs, limit: maxScanned, ...(before > 0 && { before }) };
  let [scanned, last] = [0, 0];
  for await (const commit of limit === 0 ? [] : historyInParts(context.store, query)) {
    [scanned, last] = [scanned + 1, commit.revision];
    const change = selectedChange(filter, commit, services);
    if (change) changes.push(change);
    if (changes.length === limit) break;
  }
  const stopped = changes.length === limit || scanned === maxScanned;
  const body: ChangeList = { changes, next: stopped && last > firstRevision ? last : null };
  return { status: 200, body };
}

/**
 * Puts every object of a commit back to what it was before; of a canary's, to what it was before the run. Where somebody has changed one since, a dry run says so, and the undo itself is
 * refused (409) unless `over` names the newest of these changes. The summary says what the undo does, not what it undoes.
 */
export async function undoChange(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const revision = Number(request.params.revision);
  if (!Number.isSafeInteger(revision) || revision < 1) throw badRequest("the revision must be a positive whole number");
  const over = integerQuery(request, "over", 0, Number.MAX_SAFE_INTEGER);
  const commit = await wholeRun(context.store, await commitAt(context, revision));
  const dryRun = isDryRunQuery(request);
  const current = new Map<string, ConfigObject | undefined>();
  for (const { key } of commit.changes) current.set(formatKey(key), await context.store.get(key));
  const since = await laterChanges(context, commit, current);
  if (!dryRun && since.length > 0 && since[0]?.revision !== over) throw changedSince(commit, since);
  const writes = commit.changes.flatMap((change) => inverseOf(context, change, current.get(formatKey(change.key))));
  await checkNamespaces(context, writes);
  const { author } = limpidActor(request);
  const planned = await commitWrites(context, writes, author, { dryRun: true, reason: undefined });
  const reason = undoReason(revision, planned.changes);
  const done = dryRun ? planned : await commitWrites(context, writes, author, { dryRun, reason });
  const services = await context.services();
  const undo = { change: toChange(commit, services), since: since.map((one) => toChange(one, services)) };
  return answerChange(context, request, done, { dryRun, undo });
}

/** As many objects and changes as are looked through for who changed what since. */
const maxLookedAt = 20;

/** Newest first: commits after this one that wrote objects of it which are not as it left them. */
async function laterChanges(
  context: ApiContext,
  { revision, changes }: Commit,
  current: ReadonlyMap<string, ConfigObject | undefined>,
): Promise<Commit[]> {
  const changed = changes.filter(
    ({ key, after }) => current.get(formatKey(key))?.metadata.resourceVersion !== after?.metadata.resourceVersion,
  );
  const later = new Map<number, Commit>();
  for (const { key } of changed.slice(0, maxLookedAt)) {
    for (const commit of await context.store.history({ key, limit: maxLookedAt })) {
      if (commit.revision > revision) later.set(commit.revision, commit);
    }
  }
  return [...later.values()].sort((a, b) => b.revision - a.revision);
}

function changedSince({ revision, changes }: Commit, since: readonly Commit[]): StatusError {
  const [newest] = since;
  const keys = new Set(changes.map(({ key }) => formatKey(key)));
  const object = newest?.changes.find(({ key }) => keys.has(formatKey(key)));
  return saidError(
    409,
    "Conflict",
    told("changed-since", {
      object: object ? formatKey(object.key) : "an object of it",
      author: newest?.author ?? "",
      summary: newest ? (newest.reason ?? describeChanges(newest.changes)) : "",
      more: since.length > 1 ? `, and ${since.length - 1} more` : "",
      revision,
      over: newest?.revision ?? 0,
    }),
  );
}

/** Nothing comes back into a namespace that is gone, and none goes that has got other objects since. */
export async function checkNamespaces(context: ApiContext, writes: readonly Write[]): Promise<void> {
  const keys = new Set(writes.map((write) => formatKey(write.op === "put" ? keyOf(write.object) : write.key)));
  for (const write of writes) {
    if (write.op === "put") {
      const { namespace } = write.object.metadata;
      if (!keys.has(formatKey({ kind: "Namespace", namespace: "", name: namespace }))) {
        await requireNamespace(context, namespace);
      }
    } else if (write.key.kind === "Namespace") {
      const contents = await namespaceWrites(context.store, write.key.name);
      const other = contents.find((one) => one.op === "delete" && !keys.has(formatKey(one.key)));
      if (other?.op === "delete") {
        const used = { namespace: write.key.name, object: formatKey(other.key) };
        throw saidError(409, "Conflict", told("namespace-used", used));
      }
    }
  }
}

/** What makes the object as it was; nothing where it is gone as it should be. */
function inverseOf(
  { clock }: Pick<ApiContext, "clock">,
  change: ConfigChange,
  current: ConfigObject | undefined,
): Write[] {
  const { key, before } = change;
  const expect = current?.metadata.resourceVersion ?? "absent";
  if (before === undefined) return current === undefined ? [] : [{ op: "delete", key, expect }];
  if (current && isCanaryMove(change)) return [{ op: "put", object: endedRun(current, clock.now()), expect }];
  const { uid: _, ...metadata } = before.metadata; // a deleted object comes back as a new one
  return [{ op: "put", object: { ...before, metadata }, expect }];
}

/** Throws 404. */
async function commitAt(context: ApiContext, revision: number): Promise<Commit> {
  const [commit] = await context.store.history({ before: revision + 1, limit: 1 });
  if (commit?.revision === revision) return commit;
  throw saidError(404, "NotFound", told("no-change", { revision }));
}
