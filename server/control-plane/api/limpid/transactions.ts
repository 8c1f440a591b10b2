import type { KindDefinition } from "../../../config/kind.ts";
import { formatKey, keyOf, type ResourceKey } from "../../../config/object.ts";
import { type Commit, ConflictError, NotFoundError, type Write } from "../../../config/store.ts";
import { type Told, told } from "../../../contract/index.ts";
import type { FieldError } from "../../../lib/result.ts";
import type { Actor } from "../actor.ts";
import type { ApiContext } from "../context.ts";
import { apiVersionOf } from "../kind-index.ts";
import { namespaceExists, namespaceWrites } from "../namespace-contents.ts";
import { prepareApply, prepareUpdate, validating } from "../object-writer.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { StatusError, saidError } from "../status-error.ts";
import { answerChange } from "./change-result.ts";
import { invalidFields, isDryRunQuery, limpidActor, readBodyAs } from "./request.ts";
import { TransactionRequest } from "./transaction-request.ts";

type TransactionWrite = TransactionRequest["writes"][number];

const maxAttempts = 8;

/** Several writes as one commit. Every error of every write is answered at once, each under `writes[<index>]`. */
export async function runTransaction(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const transaction = await readBodyAs(TransactionRequest, request);
  const dryRun = transaction.dryRun || isDryRunQuery(request);
  const actor = limpidActor(request);
  for (let attempt = 1; ; attempt++) {
    const writes = await prepareAll(context, transaction.writes, actor);
    try {
      const commit = await commitWrites(context, writes, actor.author, { dryRun, reason: transaction.reason });
      return await answerChange(context, request, commit, { dryRun });
    } catch (error) {
      // Writes without a version of their own are made against what is there now.
      const isFree = transaction.writes.every((write) => expectOf(write) === undefined);
      if (!(error instanceof StatusError && error.code === 409 && isFree) || attempt === maxAttempts) throw error;
    }
  }
}

/** Commits, and says a failed precondition as 409 or 404 that names the object. */
export async function commitWrites(
  context: ApiContext,
  writes: readonly Write[],
  author: string,
  { dryRun, reason }: { dryRun: boolean; reason: string | undefined },
): Promise<Commit> {
  try {
    return await context.store.commit(writes, author, { dryRun, ...(reason ? { reason } : {}) });
  } catch (error) {
    if (error instanceof ConflictError) throw saidError(409, "Conflict", error.told);
    if (error instanceof NotFoundError)
      throw saidError(
        404,
        "NotFound",
        told("no-object", { object: `${error.key.kind} ${error.key.namespace}/${error.key.name}` }),
      );
    throw error;
  }
}

async function prepareAll(
  context: ApiContext,
  transactionWrites: readonly TransactionWrite[],
  actor: Actor,
): Promise<Write[]> {
  const errors: FieldError[] = [];
  const prepared: Write[] = [];
  const seen = new Set<string>();
  const made = new Set(
    transactionWrites.flatMap((write) =>
      write.op !== "delete" && write.object.kind === "Namespace" ? [write.object.metadata.name] : [],
    ),
  );
  for (const [index, write] of transactionWrites.entries()) {
    // Thousands of objects take seconds to check: proxies and other callers have their turns in between.
    if (index % 50 === 49) await new Promise((resolve) => setImmediate(resolve));
    const report = (path: string, what: Told) => errors.push({ ...what, path: `writes[${index}]${path}` });
    try {
      const result = await prepareOne(context, write, actor, made, report);
      for (const one of result) {
        const key = formatKey(one.op === "put" ? keyOf(one.object) : one.key);
        if (seen.has(key)) report("", told("written-twice", { object: key }));
        seen.add(key);
      }
      prepared.push(...result);
    } catch (error) {
      if (!(error instanceof StatusError) || error.reason !== "Invalid") throw error;
      for (const { path, ...what } of error.fields ?? []) report(`.object.${path}`, what);
    }
  }
  if (errors.length > 0) throw invalidFields(errors);
  return prepared;
}

type Report = (path: string, what: Told) => void;

async function prepareOne(
  context: ApiContext,
  write: TransactionWrite,
  actor: Actor,
  madeNamespaces: ReadonlySet<string>,
  report: Report,
): Promise<Write[]> {
  if (write.op === "delete") return prepareDelete(context, write.key, expectOf(write), report);
  const { object } = write;
  const definition = context.kinds.byKind(object.kind);
  const version = definition && servedVersion(definition, object.apiVersion);
  if (definition === undefined || version === undefined) {
    const kinds = context.kinds.all.map((kind) => kind.kind).join(", ");
    report(".object.kind", told("kind-unknown", { kind: object.kind, version: object.apiVersion, kinds }));
    return [];
  }
  const namespace = definition.namespaced ? object.metadata.namespace || "default" : "";
  const key: ResourceKey = { kind: object.kind, namespace, name: object.metadata.name };
  if (!madeNamespaces.has(namespace) && !(await namespaceExists(context, namespace))) {
    report(".object.metadata.namespace", told("no-namespace", { namespace }));
  }
  const existing = await context.store.get(key);
  const candidate = { ...object, metadata: { ...object.metadata, ...(namespace ? { namespace } : {}) } };
  const writer = { ...validating(context), manager: actor.manager, version };
  const prepared =
    write.op === "apply"
      ? prepareApply(definition, candidate, existing, { ...writer, force: write.force })
      : prepareUpdate(definition, candidate, existing, writer);
  const expect = expectOf(write) ?? existing?.metadata.resourceVersion ?? "absent";
  return [{ op: "put", object: prepared, expect }];
}

/** The version that a write is made against: said, or left in the document, as in Kubernetes. */
function expectOf(write: TransactionWrite): string | undefined {
  if (write.op === "delete") return write.expect;
  return (write.op === "put" ? write.expect : undefined) ?? (write.object.metadata.resourceVersion || undefined);
}

async function prepareDelete(
  context: ApiContext,
  key: ResourceKey,
  expect: string | undefined,
  report: Report,
): Promise<Write[]> {
  if (context.kinds.byKind(key.kind) === undefined) {
    report(".key.kind", told("no-kind", { kind: key.kind }));
    return [];
  }
  const contents = key.kind === "Namespace" ? await namespaceWrites(context.store, key.name) : [];
  return [...contents, { op: "delete", key, ...(expect === undefined ? {} : { expect }) }];
}

const servedVersion = (kind: KindDefinition, apiVersion: string): string | undefined =>
  [kind.version, ...kind.aliases].find((version) => apiVersionOf(kind.group, version) === apiVersion);
