import type { ConfigObject } from "../../../config/object.ts";
import type { ApiContext } from "../context.ts";
import type { ApiRequest, ApiResponse } from "../router.ts";
import { badRequest, expired, StatusError } from "../status-error.ts";
import { listAt } from "./list-at.ts";
import { type Page, type PageRequest, pageExpired, pageMetadata, pageOf, pageRequestOf } from "./paging.ts";
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
  const page = await selectObjects(context, request, scope);
  const table = tableOptions(request, String(page.revision));
  const body = table ? toTable(scope, page.items, table, context.clock) : presentList(scope, page.items, page.revision);
  return { status: 200, body: { ...body, metadata: pageMetadata(page) } };
}

/** What selectors, version and page of a request name. Throws 400, 410 for a version that is gone, and 504 for one yet to come. */
export async function selectObjects(context: ApiContext, request: ApiRequest, scope: Scope): Promise<Page> {
  const { query } = request;
  const selected = selectorOf(query);
  const wanted = pageRequestOf(query);
  const { items, revision } = await readList(context, scope, query, wanted);
  const isSelected = query.has("labelSelector") || query.has("fieldSelector");
  return pageOf(items.filter(selected), wanted, revision, isSelected);
}

async function readList(
  { store }: ApiContext,
  scope: Scope,
  query: URLSearchParams,
  { after }: PageRequest,
): Promise<{ items: ConfigObject[]; revision: number }> {
  const filter = {
    kind: scope.definition.kind,
    ...(scope.namespace === undefined ? {} : { namespace: scope.namespace }),
  };
  if (after) {
    const items = await listAt(store, filter, after.revision);
    if (items === undefined) throw pageExpired();
    return { items, revision: after.revision };
  }
  const version = wantedVersion(query);
  const current = await store.revision();
  if (version > current) throw tooNew(version, current);
  if (query.get("resourceVersionMatch") !== "Exact") return store.list(filter);
  const items = await listAt(store, filter, version);
  if (items === undefined) {
    throw expired(`The resourceVersion for the provided list is too old: ${version}, current: ${current}`);
  }
  return { items, revision: version };
}

/** 0 for any. Lists answer the newest state, which is "not older than" any version that was, unless exactly one is asked for. */
function wantedVersion(query: URLSearchParams): number {
  const text = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch");
  if (match !== null && match !== "Exact" && match !== "NotOlderThan") {
    throw badRequest(
      `resourceVersionMatch: Unsupported value: ${JSON.stringify(match)}: supported values: "Exact", "NotOlderThan"`,
    );
  }
  if (match !== null && text === "") {
    throw badRequest(
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
    );
  }
  const version = text === "" ? 0 : parseVersion(text);
  if (match === "Exact" && version === 0) {
    throw badRequest(
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    );
  }
  return version;
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

export function parseVersion(text: string): number {
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}`);
  return Number(text);
}

export const tooNew = (wanted: number, current: number): StatusError =>
  new StatusError(
    504,
    "Timeout",
    `Too large resource version: ${wanted}, current: ${current}`,
    {
      causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
      retryAfterSeconds: 1,
    },
    { "retry-after": "1" },
  );
