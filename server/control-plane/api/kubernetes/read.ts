import type { ConfigObject } from "../../../config/object.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, expired, StatusError } from "../status-error.ts";
import { present, presentList } from "./present.ts";
import { existingObject, type Scope, scopeOf } from "./scope.ts";
import { selectorOf } from "./selectors.ts";
import { type TableOptions, toTable, wantedTable } from "./table.ts";
import type { WatchServer } from "./watch.ts";

export async function getObject(context: ApiContext, request: ApiRequest): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  const object = await existingObject(context, scope);
  const table = tableOptions(request, object.metadata.resourceVersion ?? "");
  return { status: 200, body: table ? toTable(scope, [object], table, context.clock) : present(scope, object) };
}

/** A list, or a stream of changes with `watch=true`. */
export async function listObjects(
  context: ApiContext,
  request: ApiRequest,
  watches: WatchServer,
): Promise<ApiResponse> {
  const scope = scopeOf(context, request);
  if (isTrue(request.query.get("watch"))) return watches.open(request, scope);
  const { items, revision } = await selectObjects(context, request, scope);
  checkVersion(request, revision);
  const table = tableOptions(request, String(revision));
  return {
    status: 200,
    body: table ? toTable(scope, items, table, context.clock) : presentList(scope, items, revision),
  };
}

export async function selectObjects(
  context: ApiContext,
  request: ApiRequest,
  scope: Scope,
): Promise<{ items: ConfigObject[]; revision: number }> {
  const selected = selectorOf(request.query);
  const query = {
    kind: scope.definition.kind,
    ...(scope.namespace === undefined ? {} : { namespace: scope.namespace }),
  };
  const { items, revision } = await context.store.list(query);
  return { items: items.filter(selected), revision };
}

export const isTrue = (value: string | null): boolean => value === "true" || value === "1";

export function tableOptions(request: ApiRequest, resourceVersion: string): TableOptions | undefined {
  const tableVersion = wantedTable(request.headers.accept);
  if (tableVersion === undefined) return undefined;
  const includeObject = request.query.get("includeObject") ?? "Metadata";
  if (includeObject !== "None" && includeObject !== "Metadata" && includeObject !== "Object") {
    throw badRequest(`unrecognized includeObject value: ${JSON.stringify(includeObject)}`);
  }
  return { tableVersion, includeObject, resourceVersion };
}

/** Lists answer the newest state, which is "not older than" any version that was; only an exact past version can't be had. */
function checkVersion(request: ApiRequest, revision: number): void {
  const wanted = request.query.get("resourceVersion") ?? "";
  if (wanted === "" || wanted === "0") return;
  const version = parseVersion(wanted);
  if (version > revision) throw tooNew(version, revision);
  if (request.query.get("resourceVersionMatch") === "Exact" && version !== revision) {
    throw expired(`The resourceVersion for the provided list is too old: only ${revision} can be listed now`);
  }
}

export function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}`);
  return Number(text);
}

export const tooNew = (wanted: number, current: number): StatusError =>
  new StatusError(504, "Timeout", `Too large resource version: ${wanted}, current: ${current}`, {
    causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
    retryAfterSeconds: 1,
  });
