import { create, fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { ClusterSchema } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { FilterSchema } from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { RouterSchema } from "../../gen/proto/envoy/extensions/filters/http/router/v3/router_pb.js";
import { TcpProxySchema } from "../../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { registry } from "../../proto/registry.ts";
import { merged, mergedAny } from "./merge.ts";

const cluster = (json: JsonValue) => fromJson(ClusterSchema, json, { registry });
const merge = (before: JsonValue, patch: JsonValue) =>
  toJson(ClusterSchema, merged(ClusterSchema, cluster(before), cluster(patch)), { registry });

test.each<[string, JsonValue, JsonValue, JsonValue]>([
  ["a scalar takes the place of one", { name: "a", altStatName: "x" }, { name: "b" }, { name: "b", altStatName: "x" }],
  ["durations are whole", { connectTimeout: "10.200s" }, { connectTimeout: "5s" }, { connectTimeout: "5s" }],
  [
    "wrapped numbers too",
    { perConnectionBufferLimitBytes: 10 },
    { perConnectionBufferLimitBytes: 5 },
    { perConnectionBufferLimitBytes: 5 },
  ],
  [
    "messages are merged in turn",
    { upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 1, keepaliveProbes: 2 } } },
    { upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 9 } } },
    { upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 9, keepaliveProbes: 2 } } },
  ],
  [
    "lists are longer by it",
    { healthChecks: [{ timeout: "1s" }] },
    { healthChecks: [{ timeout: "2s" }] },
    { healthChecks: [{ timeout: "1s" }, { timeout: "2s" }] },
  ],
  [
    "maps have it beside what they had",
    { metadata: { filterMetadata: { a: { x: 1, y: 2 }, b: {} } } },
    { metadata: { filterMetadata: { a: { x: 3 } } } },
    { metadata: { filterMetadata: { a: { x: 3 }, b: {} } } },
  ],
  [
    "a oneof has one",
    { type: "EDS" },
    { clusterType: { name: "envoy.clusters.dynamic_forward_proxy" } },
    { clusterType: { name: "envoy.clusters.dynamic_forward_proxy" } },
  ],
])("%s", (_, before, patch, after) => {
  expect(merge(before, patch)).toEqual(after);
});

test("what is merged stays as it was", () => {
  const before = cluster({ healthChecks: [{ timeout: "1s" }], upstreamConnectionOptions: { tcpKeepalive: {} } });
  const frozen = JSON.stringify(toJson(ClusterSchema, before, { registry }));
  const patch = cluster({
    healthChecks: [{ timeout: "2s" }],
    upstreamConnectionOptions: { tcpKeepalive: { keepaliveTime: 1 } },
  });
  merged(ClusterSchema, before, patch);
  expect(JSON.stringify(toJson(ClusterSchema, before, { registry }))).toBe(frozen);
});

test("typed configs of one type are merged, of two types the newer stays", () => {
  const tcp = (json: JsonValue) => anyPack(TcpProxySchema, fromJson(TcpProxySchema, json));
  const both = mergedAny(tcp({ statPrefix: "a", cluster: "up" }), tcp({ idleTimeout: "5s" }));
  const filter = create(FilterSchema, { configType: both && { case: "typedConfig", value: both } });
  expect(toJson(FilterSchema, filter, { registry })).toMatchObject({
    typedConfig: { statPrefix: "a", cluster: "up", idleTimeout: "5s" },
  });
  const router = anyPack(RouterSchema, create(RouterSchema));
  expect(mergedAny(tcp({ statPrefix: "a" }), router)).toBe(router);
  expect(mergedAny(undefined, router)).toBe(router);
});
