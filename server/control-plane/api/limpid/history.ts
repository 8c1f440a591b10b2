import { formatKey, keyOf } from "../../../config/object.ts";
import type { Commit, ConfigChange, Write } from "../../../config/store.ts";
import { CompactedError } from "../../../config/store.ts";
import type { ChangeList } from "../../../contract/index.ts";
import type { ApiContext } from "../context.ts";
import { namespaceWrites, requireNamespace } from "../namespace-contents.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, StatusError } from "../status-error.ts";
import { toChangeResult } from "./change-result.ts";
import { toChange } from "./change-summary.ts";
import { integerQuery, isDryRunQuery, limpidActor } from "./request.ts";
import { commitWrites } from "./transactions.ts";

const maxChanges = 1000;

/** `?since=<unix ms>&limit=<n>`, newest first. */
export async function listChanges(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const sinceMs = integerQuery(request, "since", 0, Number.MAX_SAFE_INTEGER);
  const limit = integerQuery(request, "limit", 100, maxChanges);
  const commits = await context.store.history({ sinceMs, limit });
  const body: ChangeList = { changes: commits.map(toChange) };
  return { status: 200, body };
}

/** Puts every object of a commit back to what it was before, unless somebody has changed it since: then 409 names it. */
export async function undoChange(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const revision = Number(request.params.revision);
  if (!Number.isSafeInteger(revision) || revision < 1) throw badRequest("the revision must be a positive whole number");
  const commit = await commitAt(context, revision);
  const dryRun = isDryRunQuery(request);
  const writes = await Promise.all(commit.changes.map((change) => inverseOf(context, change)));
  await checkNamespaces(context, writes);
  const reason = `undo of ${revision}: ${toChange(commit).summary}`.slice(0, 200);
  const { author } = limpidActor(request);
  const done = await commitWrites(context, writes, author, { dryRun, reason });
  return { status: 200, body: toChangeResult(context, done, dryRun) };
}

/** Nothing comes back into a namespace that is gone, and none goes that has got other objects since. */
async function checkNamespaces(context: ApiContext, writes: readonly Write[]): Promise<void> {
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
        throw new StatusError(409, "Conflict", `the namespace ${write.key.name} has ${formatKey(other.key)} in it`);
      }
    }
  }
}

async function inverseOf(context: ApiContext, { key, before, after }: ConfigChange): Promise<Write> {
  const current = await context.store.get(key);
  if (current?.metadata.resourceVersion !== after?.metadata.resourceVersion) {
    throw new StatusError(
      409,
      "Conflict",
      `${formatKey(key)} has been changed since: undo that first, or edit it by hand`,
    );
  }
  if (before === undefined) return { op: "delete", key, expect: after?.metadata.resourceVersion ?? "absent" };
  const { uid: _, ...metadata } = before.metadata; // a deleted object comes back as a new one
  return { op: "put", object: { ...before, metadata }, expect: after?.metadata.resourceVersion ?? "absent" };
}

/** The watch answers every revision after a given one without gaps, so the first is the one asked for. Throws 404. */
async function commitAt(context: ApiContext, revision: number): Promise<Commit> {
  const gone = new StatusError(404, "NotFound", `there is no change ${revision} in the history`);
  if (revision > (await context.store.revision())) throw gone;
  const done = new AbortController();
  try {
    for await (const commit of context.store.watch(revision - 1, AbortSignal.any([done.signal, context.closing]))) {
      if (commit.revision === revision) return commit;
      break;
    }
  } catch (error) {
    if (!(error instanceof CompactedError)) throw error;
  } finally {
    done.abort();
  }
  throw gone;
}
