import fastJsonPatch, { type Operation } from "fast-json-patch";
import { type ConfigObject, keyOf } from "../../../config/object.ts";
import { type ConfigChange, ConflictError, NotFoundError } from "../../../config/store.ts";
import { actorOf } from "../actor.ts";
import { decodeBody, decodeObject, isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { requireNamespace } from "../namespace-contents.ts";
import { prepareApply, prepareUpdate, type WriteContext } from "../object-writer.ts";
import { jsonMergePatch } from "../patch/json-merge-patch.ts";
import { coreMergeKeys, strategicMergePatch } from "../patch/strategic-merge-patch.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import {
  alreadyExists,
  badRequest,
  conflict,
  invalid,
  notFound,
  StatusError,
  unsupportedMediaType,
} from "../status-error.ts";
import { warningHeader, warningsFor } from "../warnings/index.ts";
import { withGeneratedName } from "./generate-name.ts";
import { present } from "./present.ts";
import { isTrue, tableOptions } from "./read.ts";
import { alignWithPath, existingObject, isDryRun, keyOfScope, type Scope, scopeOf } from "./scope.ts";
import { toTable } from "./table.ts";

/** How often a patch without a version of its own is tried against concurrent writers. */
const maxAttempts = 8;
const maxJsonPatchOperations = 10_000; // as Kubernetes' API server

export async function createObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  if (scope.namespace === undefined) throw badRequest("an object is created in a namespace");
  const body = alignWithPath(scope, decodeObject(request.body, request.contentType));
  await requireNamespace(context, scope.namespace);
  for (let attempt = 1; ; attempt++) {
    const named = withGeneratedName(body);
    const object = prepareUpdate(scope.definition, named, undefined, writeContext(context, request, scope));
    try {
      return await respond(context, request, scope, 201, await put(context, request, scope, object, "absent"));
    } catch (error) {
      const isTaken = named !== body && error instanceof StatusError && error.reason === "AlreadyExists";
      if (!isTaken || attempt === maxAttempts) throw error;
    }
  }
}

export async function replaceObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  keyOfScope(scope);
  const body = alignWithPath(scope, decodeObject(request.body, request.contentType));
  const existing = await existingObject(context, scope);
  const expect = versionOf(body);
  if (expect === undefined && scope.definition.group !== "") {
    // Custom resources are never replaced unseen; core kinds may be.
    const message = "Invalid value: 0x0: must be specified for an update";
    throw invalid(scope.definition, existing.metadata.name, [{ path: "metadata.resourceVersion", message }]);
  }
  checkPreconditions(scope, body, existing);
  const object = prepareUpdate(scope.definition, body, existing, writeContext(context, request, scope));
  const stored = await put(context, request, scope, object, expect ?? existing.metadata.resourceVersion);
  return await respond(context, request, scope, 200, stored);
}

/** Merge, strategic merge and JSON patches, and server-side apply, by the body's media type. */
export async function patchObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const patch = readPatch(context, request, scope);
  for (let attempt = 1; ; attempt++) {
    const existing = await context.store.get(keyOfScope(scope));
    const object = await patch(existing); // throws when the client names a version that isn't this one any more
    try {
      const stored = await put(context, request, scope, object, existing?.metadata.resourceVersion ?? "absent");
      return await respond(context, request, scope, existing ? 200 : 201, stored);
    } catch (error) {
      const isRace = error instanceof StatusError && error.code === 409;
      if (!isRace || attempt === maxAttempts) throw error;
    }
  }
}

type Patch = (existing: ConfigObject | undefined) => Promise<ConfigObject>;

function readPatch(context: ApiContext, request: ApiRequest, scope: Scope): Patch {
  if (request.contentType === "application/apply-patch+yaml") return readApply(context, request, scope);
  const change = readChange(request, scope);
  return async (existing) => {
    if (existing === undefined) throw notFound(scope.definition, keyOfScope(scope).name);
    const changed = change(present(scope, existing));
    if (!isRecord(changed)) throw badRequest("the patch leaves no object");
    const body = alignWithPath(scope, changed);
    checkPreconditions(scope, body, existing);
    return prepareUpdate(scope.definition, body, existing, writeContext(context, request, scope));
  };
}

function readChange(request: ApiRequest, scope: Scope): (before: Record<string, unknown>) => unknown {
  const isCore = scope.definition.group === "";
  switch (request.contentType) {
    case "application/json-patch+json": {
      const operations = decodeBody(request.body, "application/json");
      if (!Array.isArray(operations)) throw badRequest("a JSON patch is a list of operations");
      if (operations.length > maxJsonPatchOperations) {
        throw new StatusError(
          413,
          "RequestEntityTooLarge",
          `The allowed maximum operations in a JSON patch is ${maxJsonPatchOperations}, got ${operations.length}`,
        );
      }
      return (before) => applyJsonPatch(before, operations);
    }
    case "application/merge-patch+json": {
      const patch = decodeObject(request.body, "application/json");
      return (before) => jsonMergePatch(before, patch);
    }
    case "application/strategic-merge-patch+json":
      if (isCore) {
        const patch = decodeObject(request.body, "application/json");
        return (before) => strategicMergePatch(before, patch, coreMergeKeys);
      }
  }
  throw unsupportedMediaType([
    "application/json-patch+json",
    "application/merge-patch+json",
    ...(isCore ? ["application/strategic-merge-patch+json"] : []),
    "application/apply-patch+yaml",
  ]);
}

function applyJsonPatch(before: Record<string, unknown>, operations: unknown[]): unknown {
  try {
    return fastJsonPatch.applyPatch(structuredClone(before), operations as Operation[], true).newDocument;
  } catch (error) {
    const message = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new StatusError(422, "Invalid", `the server rejected our request due to an error in our request: ${message}`);
  }
}

function readApply(context: ApiContext, request: ApiRequest, scope: Scope): Patch {
  if (!request.query.get("fieldManager")) {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const wanted = alignWithPath(scope, decodeObject(request.body, "application/yaml"));
  const metadata = wanted.metadata as Record<string, unknown>;
  if (metadata.managedFields) throw badRequest("metadata.managedFields must be nil");
  const force = isTrue(request.query.get("force"));
  return async (existing) => {
    if (existing !== undefined) checkPreconditions(scope, wanted, existing);
    else if (metadata.uid || versionOf(wanted)) throw conflict(scope.definition, String(metadata.name));
    else await requireNamespace(context, scope.namespace ?? "");
    return prepareApply(scope.definition, wanted, existing, { ...writeContext(context, request, scope), force });
  };
}

const writeContext = (context: ApiContext, request: ApiRequest, scope: Scope): WriteContext => ({
  clock: context.clock,
  manager: actorOf(request).manager,
  version: scope.version,
});

const versionOf = (body: Record<string, unknown>): string | undefined => {
  const version = isRecord(body.metadata) ? body.metadata.resourceVersion : undefined;
  return typeof version === "string" && version !== "" ? version : undefined;
};

/** What the client believes of the object must be so. */
function checkPreconditions(scope: Scope, body: Record<string, unknown>, existing: ConfigObject): void {
  const metadata = body.metadata as Record<string, unknown>;
  const { name, uid, resourceVersion } = existing.metadata;
  if (metadata.uid && metadata.uid !== uid) {
    const why = `Precondition failed: UID in precondition: ${String(metadata.uid)}, UID in object meta: ${uid}`;
    throw conflict(scope.definition, name, why);
  }
  const version = versionOf(body);
  if (version !== undefined && version !== resourceVersion) throw conflict(scope.definition, name);
}

/** What a write came to: the object as it is answered, and what it changed, or would. */
interface Stored {
  object: ConfigObject;
  changes: ConfigChange[];
}

async function put(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  object: ConfigObject,
  expect: string | undefined,
): Promise<Stored> {
  const dryRun = isDryRun(request.query.getAll("dryRun"));
  const { author } = actorOf(request);
  const write = { op: "put" as const, object, ...(expect === undefined ? {} : { expect }) };
  try {
    const commit = await context.store.commit([write], author, { dryRun });
    const [change] = commit.changes;
    if (change?.after === undefined) {
      const same = await existingObject(context, { ...scope, name: object.metadata.name });
      return { object: same, changes: [{ type: "MODIFIED", key: keyOf(same), before: same, after: same }] };
    }
    const shown = dryRun ? atVersion(change.after, change.before?.metadata.resourceVersion) : change.after;
    return { object: shown, changes: commit.changes };
  } catch (error) {
    if (error instanceof ConflictError) {
      if (expect === "absent") throw alreadyExists(scope.definition, object.metadata.name);
      throw conflict(scope.definition, object.metadata.name);
    }
    if (error instanceof NotFoundError) throw notFound(scope.definition, object.metadata.name);
    throw error;
  }
}

/** A dry run gives out no version: the object keeps the one it has, and `kubectl diff` shows none that nobody asked about. */
function atVersion(object: ConfigObject, resourceVersion: string | undefined): ConfigObject {
  const { resourceVersion: _, ...metadata } = object.metadata;
  return { ...object, metadata: resourceVersion === undefined ? metadata : { ...metadata, resourceVersion } };
}

async function respond(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  status: number,
  { object, changes }: Stored,
): Promise<ApiResponse> {
  const headers = warningHeader(await warningsFor(context, changes));
  const table = tableOptions(request, object.metadata.resourceVersion ?? "");
  return { status, headers, body: table ? toTable(scope, [object], table, context.clock) : present(scope, object) };
}
