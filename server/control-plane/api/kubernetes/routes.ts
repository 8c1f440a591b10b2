import type { ApiContext } from "../context.ts";
import type { ApiRouter, Handler } from "../router.ts";
import { addAccessReviews } from "./access-review.ts";
import { deleteCollection, deleteObject } from "./delete.ts";
import { coreVersions, groupInfo, groupList, resourceList, versionInfo } from "./discovery.ts";
import { createOpenApi, emptyV2Protobuf } from "./openapi.ts";
import { getObject, listObjects } from "./read.ts";
import { patchStatus, replaceStatus } from "./status.ts";
import { createWatchServer, type WatchLimits } from "./watch.ts";
import { createObject, patchObject, replaceObject } from "./write.ts";

/** Kubernetes' paths: discovery, OpenAPI and the verbs of every kind. */
export function addKubernetesRoutes(router: ApiRouter, context: ApiContext, limits: WatchLimits): void {
  addDiscovery(router, context);
  addAccessReviews(router, context);
  const watches = createWatchServer(context, limits);
  const bound =
    (verb: (context: ApiContext, request: Parameters<Handler>[0]) => ReturnType<Handler>): Handler =>
    (request) =>
      verb(context, request);
  const list: Handler = (request) => listObjects(context, request, watches);
  for (const [base, group] of [
    ["/api/:version", ""],
    ["/apis/:group/:version", undefined],
  ] as const) {
    const inGroup =
      (handler: Handler): Handler =>
      (request) =>
        handler(group === undefined ? request : { ...request, params: { ...request.params, group } });
    for (const collection of [`${base}/:plural`, `${base}/namespaces/:namespace/:plural`]) {
      router.add("GET", collection, inGroup(list));
      router.add("POST", collection, inGroup(bound(createObject)));
      router.add("DELETE", collection, inGroup(bound(deleteCollection)));
      router.add("GET", `${collection}/:name`, inGroup(bound(getObject)));
      router.add("PUT", `${collection}/:name`, inGroup(bound(replaceObject)));
      router.add("PATCH", `${collection}/:name`, inGroup(bound(patchObject)));
      router.add("DELETE", `${collection}/:name`, inGroup(bound(deleteObject)));
      router.add("GET", `${collection}/:name/status`, inGroup(bound(getObject)));
      router.add("PUT", `${collection}/:name/status`, inGroup(bound(replaceStatus)));
      router.add("PATCH", `${collection}/:name/status`, inGroup(bound(patchStatus)));
    }
  }
}

function addDiscovery(router: ApiRouter, { kinds }: ApiContext): void {
  const openApi = createOpenApi(kinds);
  const get = (pattern: string, answer: (params: Readonly<Record<string, string>>) => unknown): void =>
    router.add("GET", pattern, async ({ params }) => ({ status: 200, body: answer(params) }));
  get("/version", () => versionInfo);
  get("/api", () => coreVersions(kinds));
  get("/apis", () => groupList(kinds));
  get("/api/:version", ({ version = "" }) => resourceList(kinds, "", version));
  get("/apis/:group", ({ group = "" }) => groupInfo(kinds, group));
  get("/apis/:group/:version", ({ group = "", version = "" }) => resourceList(kinds, group, version));
  get("/openapi/v3", () => openApi.index());
  get("/openapi/v3/api/:version", ({ version = "" }) => openApi.document("", version));
  get("/openapi/v3/apis/:group/:version", ({ group = "", version = "" }) => openApi.document(group, version));
  router.add("GET", "/openapi/v2", async ({ headers }) => {
    if (!(headers.accept ?? "").includes("openapi.spec.v2@v1.0+protobuf")) return { status: 200, body: openApi.v2() };
    const type = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"; // an "@" is not allowed in an answer's type
    return { status: 200, body: emptyV2Protobuf(), headers: { "content-type": type } };
  });
}
