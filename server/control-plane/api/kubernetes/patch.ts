import type { ConfigObject } from "../../../config/object.ts";
import { decodeBody, decodeObject, isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { requireNamespace } from "../namespace-contents.ts";
import { prepareApply, prepareUpdate } from "../object-writer.ts";
import { jsonMergePatch } from "../patch/json-merge-patch.ts";
import { applyJsonPatch } from "../patch/json-patch.ts";
import { coreMergeKeys, strategicMergePatch } from "../patch/strategic-merge-patch.ts";
import type { ApiRequest } from "../router.ts";
import { badRequest, conflict, notFound, unsupportedMediaType } from "../status-error.ts";
import { present } from "./present.ts";
import { isTrue } from "./read.ts";
import { alignWithPath, keyOfScope, type Scope } from "./scope.ts";
import { applyPatchType, checkPreconditions, versionOf, type WriteOptions } from "./write-options.ts";

/** The object to store in place of the one that is there. Throws when the client names a version that isn't this one any more. */
export type Patch = (existing: ConfigObject | undefined) => Promise<ConfigObject>;

/** Merge, strategic merge and JSON patches, and server-side apply, by the body's media type. */
export async function readPatch(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  options: WriteOptions,
): Promise<Patch> {
  if (request.contentType === applyPatchType) return readApply(context, request, scope, options);
  const change = await readChange(request, scope);
  return async (existing) => {
    if (existing === undefined) throw notFound(scope.definition, keyOfScope(scope).name);
    const changed = change(present(scope, existing));
    if (!isRecord(changed)) throw badRequest("the patch leaves no object");
    const body = alignWithPath(scope, changed);
    checkPreconditions(scope, body, existing);
    return prepareUpdate(scope.definition, body, existing, options.writer);
  };
}

/** What a patch makes of an object as its client sees it. */
export async function readChange(
  request: ApiRequest,
  scope: Scope,
): Promise<(before: Record<string, unknown>) => unknown> {
  const isCore = scope.definition.group === "";
  switch (request.contentType) {
    case "application/json-patch+json": {
      const operations = await decodeBody(request.body, "application/json");
      return (before) => applyJsonPatch(before, operations);
    }
    case "application/merge-patch+json": {
      const patch = await decodeObject(request.body, "application/json");
      return (before) => jsonMergePatch(before, patch);
    }
    case "application/strategic-merge-patch+json":
      if (isCore) {
        const patch = await decodeObject(request.body, "application/json");
        return (before) => strategicMergePatch(before, patch, coreMergeKeys);
      }
  }
  throw unsupportedMediaType([
    "application/json-patch+json",
    "application/merge-patch+json",
    ...(isCore ? ["application/strategic-merge-patch+json"] : []),
    applyPatchType,
  ]);
}

async function readApply(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  options: WriteOptions,
): Promise<Patch> {
  if (!request.query.get("fieldManager")) {
    throw badRequest(
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    );
  }
  const wanted = alignWithPath(scope, await decodeObject(request.body, "application/yaml"));
  const metadata = wanted.metadata as Record<string, unknown>;
  if (metadata.managedFields) throw badRequest("metadata.managedFields must be nil");
  const force = isTrue(request.query.get("force"));
  return async (existing) => {
    if (existing !== undefined) checkPreconditions(scope, wanted, existing);
    else if (metadata.uid || versionOf(wanted)) throw conflict(scope.definition, String(metadata.name));
    else await requireNamespace(context, scope.namespace ?? "");
    return prepareApply(scope.definition, wanted, existing, { ...options.writer, force });
  };
}
