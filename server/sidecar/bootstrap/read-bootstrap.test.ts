import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { HttpConnectionManagerSchema } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { localProxy } from "./local-proxy.ts";
import { parseBootstrap, readBootstrap } from "./read-bootstrap.ts";

const good = `
node: { id: "sidecar~127.0.1.2~a.default~default.svc.cluster.local", cluster: a.default, metadata: { NAME: a } }
admin: { address: { socket_address: { address: 127.0.0.1, port_value: 15000 } } }
dynamic_resources:
  ads_config:
    api_type: DELTA_GRPC
    transport_api_version: V3
    grpc_services: [{ envoy_grpc: { cluster_name: xds-grpc } }]
  lds_config: { ads: {}, resource_api_version: V3, initial_fetch_timeout: 0.25s }
  cds_config: { ads: {}, resource_api_version: V3 }
static_resources:
  listeners:
  - name: health
    address: { socket_address: { address: 127.0.0.1, port_value: 15021 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager
          stat_prefix: health
  clusters:
  - name: xds-grpc
    type: STATIC
    connect_timeout: 1s
    load_assignment:
      cluster_name: xds-grpc
      endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: 127.0.0.1, port_value: 15010 } } } }] }]
`;

function parsedOf(text: string, overrides = {}) {
  const parsed = parseBootstrap(text, overrides);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}
function errorsOf(text: string) {
  const parsed = parseBootstrap(text);
  return parsed.ok ? [] : parsed.errors;
}

describe("parseBootstrap", () => {
  it("knows the cluster of proxies like this one, which must be there", () => {
    const named = (name: string) => `${good}\ncluster_manager: { local_cluster_name: ${name} }`;
    expect(localProxy(parsedOf(named("xds-grpc")).bootstrap)).toEqual({ cluster: "a.default", peers: "xds-grpc" });
    expect(localProxy(parsedOf(good).bootstrap).peers).toBeUndefined();
    expect(errorsOf(named("nosuch"))).toEqual([
      { path: "cluster_manager.local_cluster_name", message: "there is no static cluster nosuch" },
    ]);
  });

  it("reads YAML with snake_case names, Anys and durations", () => {
    const { bootstrap, admin, ads } = parsedOf(good);
    expect(admin).toEqual({ host: "127.0.0.1", port: 15000 });
    expect(ads).toEqual({
      cluster: "xds-grpc",
      target: { address: "127.0.0.1:15010", tls: undefined, serverName: "xds-grpc" },
      listeners: true,
      clusters: true,
      initialFetchTimeoutMs: 250,
    });
    const config = bootstrap.staticResources?.listeners[0]?.filterChains[0]?.filters[0]?.configType;
    const hcm = config?.case === "typedConfig" ? anyUnpack(config.value, HttpConnectionManagerSchema) : undefined;
    expect(hcm?.statPrefix).toBe("health");
    expect(bootstrap.node?.metadata).toEqual({ NAME: "a" });
  });

  it("knows whom to tell of load, and whom to offer to probe", () => {
    const stream = "{ api_type: GRPC, grpc_services: [{ envoy_grpc: { cluster_name: xds-grpc } }] }";
    const text = `${good}\nhds_config: ${stream}\ncluster_manager: { load_stats_config: ${stream} }`;
    expect(parsedOf(text)).toMatchObject({ healthDiscovery: "xds-grpc", loadReports: "xds-grpc" });
    expect(parsedOf(good)).toMatchObject({ healthDiscovery: undefined, loadReports: undefined });
  });

  it("reads JSON with camelCase names", () => {
    const text = JSON.stringify({
      admin: { address: { socketAddress: { address: "127.0.0.1", portValue: 9901 } } },
      staticResources: { clusters: [{ name: "a", connectTimeout: "0.5s" }] },
    });
    const { bootstrap, admin, ads } = parsedOf(text);
    expect(admin?.port).toBe(9901);
    expect(ads).toBeUndefined();
    expect(bootstrap.staticResources?.clusters[0]?.connectTimeout?.nanos).toBe(500_000_000);
  });

  it("lets the command line override the node", () => {
    const { node } = parsedOf(good, { serviceNode: "router~1", serviceCluster: "gw.default", serviceZone: "z" });
    expect(node).toMatchObject({ id: "router~1", cluster: "gw.default", locality: { zone: "z" } });
  });

  it.each([
    [
      "all unknown fields with their paths",
      "nod: {}\nstatic_resources: { clusters: [{ name: a, lb: X }, { name: b, conect_timeout: 1s }] }",
      [
        { path: "nod", message: "unknown field of envoy.config.bootstrap.v3.Bootstrap" },
        { path: "static_resources.clusters[0].lb", message: "unknown field of envoy.config.cluster.v3.Cluster" },
        {
          path: "static_resources.clusters[1].conect_timeout",
          message: "unknown field of envoy.config.cluster.v3.Cluster",
        },
      ],
    ],
    [
      "an unknown Any type, by name",
      'static_resources: { listeners: [{ filter_chains: [{ filters: [{ name: x, typed_config: { "@type": type.googleapis.com/acme.Wasm } }] }] }] }',
      [
        {
          path: "static_resources.listeners[0].filter_chains[0].filters[0].typed_config",
          message: "unknown type type.googleapis.com/acme.Wasm",
        },
      ],
    ],
    [
      "an unknown enum value",
      "static_resources: { clusters: [{ name: a, lb_policy: FASTEST }] }",
      [
        {
          path: "static_resources.clusters[0].lb_policy",
          message: "unknown value FASTEST of envoy.config.cluster.v3.Cluster.LbPolicy",
        },
      ],
    ],
    [
      "a number where text is meant",
      "node: { id: 12 }",
      [{ path: "node.id", message: "expected a string, not 12: quote it" }],
    ],
    [
      "what the sidecar doesn't do, by name",
      "bootstrap_extensions: [{ name: e }]\nstats_sinks: [{ name: statsd }]\nstatic_resources: { secrets: [{ name: s }] }",
      [
        { path: "bootstrap_extensions", message: "is not supported by the limpid sidecar" },
        { path: "static_resources.secrets", message: "is not supported by the limpid sidecar" },
        { path: "stats_sinks[0]", message: "statsd is not supported; use envoy.stat_sinks.metrics_service" },
      ],
    ],
    [
      "a state-of-the-world control plane",
      good.replace("DELTA_GRPC", "GRPC"),
      [{ path: "dynamic_resources.ads_config.api_type", message: "GRPC is not supported; use DELTA_GRPC" }],
    ],
    [
      "a control plane cluster that doesn't exist",
      good.replace("cluster_name: xds-grpc } }]", "cluster_name: nope } }]"),
      [
        {
          path: "dynamic_resources.ads_config.grpc_services[0].envoy_grpc.cluster_name",
          message: "there is no static cluster nope",
        },
      ],
    ],
    [
      "health discovery at a cluster that doesn't exist",
      `hds_config: { api_type: GRPC, grpc_services: [{ envoy_grpc: { cluster_name: nope } }] }`,
      [
        {
          path: "hds_config.grpc_services[0].envoy_grpc.cluster_name",
          message: "there is no static cluster nope",
        },
      ],
    ],
    [
      "dynamic resources without a node",
      good.replace(/node: .*/, ""),
      [{ path: "node", message: "id and cluster are required with dynamic_resources" }],
    ],
  ])("refuses %s", (_, text, errors) => {
    expect(errorsOf(text)).toEqual(errors);
  });

  it("accepts what changes nothing", () => {
    const text =
      "layered_runtime: { layers: [{ name: a, static_layer: { x: 1 } }] }\nstats_config: { use_all_default_tags: true }";
    expect(errorsOf(text)).toEqual([]);
  });

  it("says where YAML is broken", () => {
    expect(errorsOf("node: {id: a")[0]?.message).toMatch(/line 1/);
    expect(errorsOf("admin: {}\nadmin: {}")[0]?.message).toMatch(/unique/);
  });
});

describe("readBootstrap", () => {
  it("names the file", () => {
    const folder = mkdtempSync(join(tmpdir(), "bootstrap-"));
    const path = join(folder, "bootstrap.yaml");
    try {
      expect(() => readBootstrap(path)).toThrow(path);
      writeFileSync(path, "nod: {}");
      expect(() => readBootstrap(path)).toThrow(`${path}: nod: unknown field of envoy.config.bootstrap.v3.Bootstrap`);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
