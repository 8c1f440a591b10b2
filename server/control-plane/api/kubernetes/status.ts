import type { ConfigObject } from "../../../config/object.ts";
import { decodeObject, isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { jsonMergePatch } from "../patch/json-merge-patch.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, invalid, StatusError } from "../status-error.ts";
import { put, respond } from "./commit-object.ts";
import { readChange } from "./patch.ts";
import { present } from "./present.ts";
import { alignWithPath, existingObject, type Scope, scopeOf } from "./scope.ts";
import { checkPreconditions } from "./write-options.ts";

/** What a controller found out, of one object; also a bound for everything that others have to keep. */
const maxStatusBytes = 256 * 1024;
const maxAttempts = 8;

// https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#status-subresource

/** `PUT …/status`: the status of the body; everything else in it is ignored. */
export async function replaceStatus(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const body = alignWithPath(scope, await decodeObject(request.body, request.contentType));
  return write(context, request, scope, async (existing) => {
    checkPreconditions(scope, body, existing);
    return body.status;
  });
}

/** `PATCH …/status`, in every form that objects can be patched in. */
export async function patchStatus(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const isApply = request.contentType === "application/apply-patch+yaml";
  const applied = isApply ? await decodeObject(request.body, "application/yaml") : undefined;
  const change = applied
    ? (before: Record<string, unknown>) => ({ ...before, status: jsonMergePatch(before.status, applied.status ?? {}) })
    : await readChange(request, scope);
  return write(context, request, scope, async (existing) => {
    const changed = change(present(scope, existing));
    if (!isRecord(changed)) throw badRequest("the patch leaves no object");
    checkPreconditions(scope, alignWithPath(scope, applied ?? changed), existing);
    return changed.status;
  });
}

async function write(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
  statusOf: (existing: ConfigObject) => Promise<unknown>,
): Promise<ApiResponse> {
  for (let attempt = 1; ; attempt++) {
    const existing = await existingObject(context, scope);
    const status = (await statusOf(existing)) ?? {};
    const bytes = Buffer.byteLength(JSON.stringify(status));
    const problem = !isRecord(status)
      ? "must be an object"
      : bytes > maxStatusBytes
        ? `must have at most ${maxStatusBytes} bytes, not ${bytes}`
        : undefined;
    if (problem) throw invalid(scope.definition, existing.metadata.name, [{ path: "status", message: problem }]);
    const object = { ...existing, status: status as Record<string, unknown> };
    try {
      const stored = await put(context, request, scope, object, existing.metadata.resourceVersion);
      return await respond(context, request, scope, 200, stored);
    } catch (error) {
      const isRace = error instanceof StatusError && error.code === 409;
      if (!isRace || attempt === maxAttempts) throw error;
    }
  }
}
