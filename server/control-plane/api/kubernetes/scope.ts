import type { ConfigObject, ResourceKey } from "../../../config/object.ts";
import { isRecord } from "../body.ts";
import type { ApiContext } from "../context.ts";
import { apiVersionOf, type ServedKind } from "../kind-index.ts";
import type { ApiRequest } from "../router.ts";
import { badRequest, methodNotAllowed, noSuchResource, notFound } from "../status-error.ts";

/** What a request's path names: a kind, and perhaps a namespace and a name. */
export interface Scope extends ServedKind {
  /** Undefined on a request over all namespaces; empty for a kind outside of namespaces. */
  namespace: string | undefined;
  /** Undefined on a collection. */
  name: string | undefined;
}

export function scopeOf(context: ApiContext, request: ApiRequest): Scope {
  const { group = "", version = "", plural = "", namespace, name } = request.params;
  const served = context.kinds.byPath(group, version, plural);
  if (request.method !== "GET" && context.kinds.isEmpty(served.definition)) throw methodNotAllowed(["GET", "HEAD"]);
  const fits = served.definition.namespaced ? namespace !== undefined || name === undefined : namespace === undefined;
  if (!fits) throw noSuchResource();
  return { ...served, namespace: served.definition.namespaced ? namespace : "", name };
}

/** The key of the one object that the path names. Throws 405 on a collection. */
export function keyOfScope(scope: Scope): ResourceKey {
  if (scope.name === undefined || scope.namespace === undefined) {
    throw methodNotAllowed(["GET", "HEAD"]);
  }
  return { kind: scope.definition.kind, namespace: scope.namespace, name: scope.name };
}

/** Throws 404 when there is none. */
export async function existingObject(context: ApiContext, scope: Scope): Promise<ConfigObject> {
  const key = keyOfScope(scope);
  const object = await context.store.get(key);
  if (object === undefined) throw notFound(scope.definition, key.name);
  return object;
}

/** Fills in from the path what the body leaves out. Throws 400 when body and path disagree. */
export function alignWithPath(scope: Scope, body: Record<string, unknown>): Record<string, unknown> {
  const { definition, version } = scope;
  const apiVersion = apiVersionOf(definition.group, version);
  if (body.kind !== undefined && body.kind !== definition.kind) {
    throw badRequest(
      `${String(body.kind)} in version ${JSON.stringify(body.apiVersion)} cannot be handled as a ${definition.kind}`,
    );
  }
  if (body.apiVersion !== undefined && body.apiVersion !== apiVersion) {
    throw badRequest(
      `the API version in the data (${String(body.apiVersion)}) does not match the expected API version (${apiVersion})`,
    );
  }
  const metadata: Record<string, unknown> = isRecord(body.metadata) ? { ...body.metadata } : {};
  if (scope.name !== undefined) {
    if (metadata.name !== undefined && metadata.name !== scope.name) {
      throw badRequest(
        `the name of the object (${String(metadata.name)}) does not match the name on the URL (${scope.name})`,
      );
    }
    metadata.name = scope.name;
  }
  if (definition.namespaced) {
    if (metadata.namespace && metadata.namespace !== scope.namespace) {
      throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
    }
    metadata.namespace = scope.namespace;
  }
  return { ...body, apiVersion, kind: definition.kind, metadata };
}

/** Throws 400 for anything but Kubernetes' one value. */
export function isDryRun(values: readonly unknown[]): boolean {
  for (const value of values) {
    if (value !== "All")
      throw badRequest(`dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`);
  }
  return values.length > 0;
}
