import type { ConfigObject } from "../../../config/object.ts";
import { keyOf } from "../../../config/object.ts";
import { ConflictError, NotFoundError, type Write } from "../../../config/store.ts";
import { actorOf } from "../actor.ts";
import { decodeObject, isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { namespaceWrites } from "../namespace-contents.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { conflict, notFound } from "../status-error.ts";
import { warningHeader, warningsFor } from "../warnings/index.ts";
import { presentList } from "./present.ts";
import { selectObjects } from "./read.ts";
import { existingObject, isDryRun, type Scope, scopeOf } from "./scope.ts";

export async function deleteObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const object = await existingObject(context, scope);
  const options = await readOptions(request);
  checkPreconditions(scope, object, options.preconditions);
  const headers = await commit(context, request, scope, [object], options.dryRun);
  const { group, plural } = scope.definition;
  const details = { name: object.metadata.name, ...(group ? { group } : {}), kind: plural, uid: object.metadata.uid };
  return { status: 200, headers, body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", details } };
}

export async function deleteCollection(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const { items, revision } = await selectObjects(context, request, scope);
  const { dryRun } = await readOptions(request);
  const headers = items.length > 0 ? await commit(context, request, scope, items, dryRun) : {};
  return { status: 200, headers, body: presentList(scope, items, revision) };
}

interface DeleteOptions {
  preconditions: { uid?: unknown; resourceVersion?: unknown };
  dryRun: boolean;
}

/** The propagation policy and the grace period make no difference here: nothing depends on an object, a delete takes effect at once. */
async function readOptions(request: ApiRequest): Promise<DeleteOptions> {
  const body = request.body.length === 0 ? {} : await decodeObject(request.body, request.contentType);
  const inBody = Array.isArray(body.dryRun) ? body.dryRun : [];
  return {
    preconditions: isRecord(body.preconditions) ? body.preconditions : {},
    dryRun: isDryRun([...request.query.getAll("dryRun"), ...inBody]),
  };
}

function checkPreconditions(scope: Scope, object: ConfigObject, wanted: DeleteOptions["preconditions"]): void {
  for (const field of ["uid", "resourceVersion"] as const) {
    const expected = wanted[field];
    if (typeof expected === "string" && expected !== object.metadata[field]) {
      const why = `Precondition failed: ${field} in precondition: ${expected}, ${field} in object meta: ${object.metadata[field]}`;
      throw conflict(scope.definition, object.metadata.name, why);
    }
  }
}

/** The head that says what is missed now. */
async function commit(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  objects: readonly ConfigObject[],
  dryRun: boolean,
): Promise<Record<string, string>> {
  const writes: Write[] = [];
  for (const object of objects) {
    if (object.kind === "Namespace") writes.push(...(await namespaceWrites(context.store, object.metadata.name)));
    writes.push({ op: "delete", key: keyOf(object) });
  }
  try {
    const { changes } = await context.store.commit(writes, actorOf(request).author, { dryRun });
    return warningHeader(await warningsFor(context, changes));
  } catch (error) {
    if (error instanceof ConflictError) throw conflict(scope.definition, error.key.name);
    if (error instanceof NotFoundError) throw notFound(scope.definition, error.key.name);
    throw error;
  }
}
