import { create, type DescMessage, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { expect, test } from "vitest";
import { Cluster_TransportSocketMatchSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { FilterChainSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { SecretSchema } from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/secret_pb.js";
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from "../gen/proto/envoy/extensions/transport_sockets/tls/v3/tls_pb.js";
import { createSnapshot, findInconsistencies, withSecrets } from "./snapshot.ts";
import { testCluster, testListener, testMessages, withEntry } from "./testing/messages.ts";
import { TypeUrl } from "./types.ts";

const ads = { ads: {}, resource_api_version: "V3" };
const context = (schema: DescMessage, json: JsonValue) =>
  create(TransportSocketSchema, {
    name: "envoy.transport_sockets.tls",
    configType: { case: "typedConfig", value: anyPack(schema, fromJson(schema, json)) },
  });
const certificates = [{ name: "default", sds_config: ads }];
const validation = { name: "ROOTCA", sds_config: ads };
const secrets = (...names: string[]) => new Map(names.map((name) => [name, create(SecretSchema, { name })]));
const mesh = testMessages({ listenerPort: 1, upstreamPort: 2, services: 1, vhds: true });

const needsOf = (messages: typeof mesh, typeUrl: string, name: string) =>
  createSnapshot(1, messages)
    .resources.get(typeUrl)
    ?.get(name)
    ?.requires?.map((ref) => `${ref.typeUrl.split(".").at(-1)} ${ref.name}`);

const clusterWith = (tls: JsonValue) => {
  const transportSocket = context(UpstreamTlsContextSchema, { common_tls_context: tls });
  const cluster = { ...testCluster("s0"), transportSocket };
  return { ...mesh, clusters: withEntry(mesh.clusters, "s0", cluster) };
};

test.each<[string, JsonValue, string[]]>([
  ["a certificate", { tls_certificate_sds_secret_configs: certificates }, ["Secret default"]],
  ["what to trust", { validation_context_sds_secret_config: validation }, ["Secret ROOTCA"]],
  [
    "both, combined with names",
    {
      tls_certificate_sds_secret_configs: certificates,
      combined_validation_context: {
        default_validation_context: {},
        validation_context_sds_secret_config: validation,
      },
    },
    ["Secret default", "Secret ROOTCA"],
  ],
  ["one of the bootstrap", { tls_certificate_sds_secret_configs: [{ name: "static" }] }, []],
  [
    "one of a file",
    { validation_context_sds_secret_config: { name: "file", sds_config: { path_config_source: { path: "/x" } } } },
    [],
  ],
])("a cluster needs %s", (_, tls, needs) => {
  expect(needsOf(clusterWith(tls), TypeUrl.cluster, "s0")).toEqual([...needs, "ClusterLoadAssignment s0"]);
});

test("a cluster needs those of its other sockets", () => {
  const transportSocket = context(UpstreamTlsContextSchema, {
    common_tls_context: { tls_certificate_sds_secret_configs: certificates },
  });
  const match = create(Cluster_TransportSocketMatchSchema, { name: "tls", transportSocket });
  const cluster = { ...testCluster("s0"), transportSocketMatches: [match] };
  const messages = { ...mesh, clusters: withEntry(mesh.clusters, "s0", cluster) };
  expect(needsOf(messages, TypeUrl.cluster, "s0")).toEqual(["Secret default", "ClusterLoadAssignment s0"]);
});

test("a listener needs those of all its chains, each once", () => {
  const transportSocket = context(DownstreamTlsContextSchema, {
    common_tls_context: {
      tls_certificate_sds_secret_configs: certificates,
      validation_context_sds_secret_config: validation,
    },
    session_ticket_keys_sds_secret_config: { name: "tickets", sds_config: ads },
  });
  const chain = create(FilterChainSchema, { transportSocket });
  const listener = testListener("outbound", 1, "http_proxy");
  const filterChains = [...listener.filterChains, chain, chain];
  const secured = { ...listener, filterChains, defaultFilterChain: chain };
  const messages = { ...mesh, listeners: withEntry(mesh.listeners, "outbound", secured) };
  const needs = ["Secret default", "Secret ROOTCA", "Secret tickets", "RouteConfiguration http_proxy"];
  expect(needsOf(messages, TypeUrl.listener, "outbound")).toEqual(needs);
});

test("a snapshot without a secret that a cluster needs is inconsistent", () => {
  const messages = clusterWith({ tls_certificate_sds_secret_configs: certificates });
  expect(findInconsistencies(createSnapshot(1, messages))).toEqual(["Cluster s0 needs Secret default"]);
  expect(findInconsistencies(createSnapshot(1, messages, secrets("default")))).toEqual([]);
});

test("other secrets leave everything else as it is", () => {
  const before = createSnapshot(7, mesh, secrets("default"));
  const after = withSecrets(before, secrets("default", "ROOTCA"));
  expect(after.revision).toBe(7);
  expect([...(after.resources.get(TypeUrl.secret)?.keys() ?? [])]).toEqual(["default", "ROOTCA"]);
  for (const [typeUrl, resources] of before.resources) {
    if (typeUrl !== TypeUrl.secret) expect(after.resources.get(typeUrl)).toBe(resources);
  }
});
