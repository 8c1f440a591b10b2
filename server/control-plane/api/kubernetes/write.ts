import { decodeObject } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { requireNamespace } from "../namespace-contents.ts";
import { prepareUpdate } from "../object-writer.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, invalid, StatusError } from "../status-error.ts";
import { put, respond } from "./commit-object.ts";
import { withGeneratedName } from "./generate-name.ts";
import { type Patch, readPatch } from "./patch.ts";
import { alignWithPath, existingObject, keyOfScope, type Scope, scopeOf } from "./scope.ts";
import {
  checkPreconditions,
  noteDuplicates,
  versionOf,
  type WriteOptions,
  warned,
  writeOptions,
} from "./write-options.ts";

/** How often a patch without a version of its own is tried against concurrent writers. */
const maxAttempts = 8;

export async function createObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  if (scope.namespace === undefined) throw badRequest("an object is created in a namespace");
  const body = alignWithPath(scope, await decodeObject(request.body, request.contentType));
  await requireNamespace(context, scope.namespace);
  const options = writeOptions(context, request, scope);
  noteDuplicates(request, scope, options);
  return warned(options, () => putNamed(context, request, scope, body, options));
}

async function putNamed(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  body: Record<string, unknown>,
  { writer, warnings }: WriteOptions,
): Promise<ApiResponse> {
  for (let attempt = 1; ; attempt++) {
    const named = withGeneratedName(body);
    const object = prepareUpdate(scope.definition, named, undefined, writer);
    try {
      const stored = await put(context, request, scope, object, "absent");
      return await respond(context, request, scope, 201, stored, warnings);
    } catch (error) {
      const isTaken = named !== body && error instanceof StatusError && error.reason === "AlreadyExists";
      if (!isTaken || attempt === maxAttempts) throw error;
    }
  }
}

export async function replaceObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  keyOfScope(scope);
  const body = alignWithPath(scope, await decodeObject(request.body, request.contentType));
  const existing = await existingObject(context, scope);
  const expect = versionOf(body);
  if (expect === undefined && scope.definition.group !== "") {
    // Custom resources are never replaced unseen; core kinds may be.
    const message = "Invalid value: 0x0: must be specified for an update";
    throw invalid(scope.definition, existing.metadata.name, [{ path: "metadata.resourceVersion", message }]);
  }
  checkPreconditions(scope, body, existing);
  const options = writeOptions(context, request, scope);
  noteDuplicates(request, scope, options);
  return warned(options, async () => {
    const object = prepareUpdate(scope.definition, body, existing, options.writer);
    const stored = await put(context, request, scope, object, expect ?? existing.metadata.resourceVersion);
    return await respond(context, request, scope, 200, stored, options.warnings);
  });
}

/** Merge, strategic merge and JSON patches, and server-side apply, by the body's media type. */
export async function patchObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const options = writeOptions(context, request, scope);
  const patch = await readPatch(context, request, scope, options);
  noteDuplicates(request, scope, options);
  return warned(options, () => putPatched(context, request, scope, patch, options));
}

async function putPatched(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  patch: Patch,
  { warnings }: WriteOptions,
): Promise<ApiResponse> {
  for (let attempt = 1; ; attempt++) {
    const existing = await context.store.get(keyOfScope(scope));
    const object = await patch(existing); // throws when the client names a version that isn't this one any more
    try {
      const stored = await put(context, request, scope, object, existing?.metadata.resourceVersion ?? "absent");
      return await respond(context, request, scope, existing ? 200 : 201, stored, warnings);
    } catch (error) {
      const isRace = error instanceof StatusError && error.code === 409;
      if (!isRace || attempt === maxAttempts) throw error;
    }
  }
}
