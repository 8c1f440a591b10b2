import { readFileSync } from "node:fs";
import { create, fromJson, type JsonValue } from "@bufbuild/protobuf";
import { type Bootstrap, BootstrapSchema } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import type { Cluster } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { Address } from "../../gen/proto/envoy/config/core/v3/address_pb.js";
import { type Node, NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ApiConfigSource } from "../../gen/proto/envoy/config/core/v3/config_source_pb.js";
import { lazyRequire } from "../../lib/lazy-require.ts";
import { type FieldError, fail, formatFieldErrors, ok, type Result } from "../../lib/result.ts";
import { durationMs } from "../duration.ts";
import { envoyGrpcCluster, type GrpcTarget, grpcTarget } from "../grpc/grpc-channels.ts";
import { checkJson } from "./check-json.ts";
import { extensionRegistry } from "./extensions.ts";
import { layerErrors } from "./runtime-layers.ts";
import { type StatsSinkConfig, statsSinksOf } from "./stats-sinks.ts";
import { unsupportedFields } from "./supported-fields.ts";

export interface SidecarBootstrap {
  /** As read, with the overrides of the command line in its node; what the admin's config dump shows. */
  bootstrap: Bootstrap;
  node: Node;
  admin: { host: string; port: number } | undefined;
  /** The static cluster that is told of load; undefined: nobody is. */
  loadReports: string | undefined;
  /** The static cluster that is offered to probe endpoints; undefined: nobody is. */
  healthDiscovery: string | undefined;
  /** Who is told of the proxy's own metrics. */
  statsSinks: readonly StatsSinkConfig[];
  /** The control plane, when there are dynamic resources. */
  ads:
    | { cluster: string; target: GrpcTarget; listeners: boolean; clusters: boolean; initialFetchTimeoutMs: number }
    | undefined;
}

export interface NodeOverrides {
  serviceNode?: string;
  serviceCluster?: string;
  serviceZone?: string;
}

/** Reads the bootstrap file that Envoy takes, YAML or JSON. Throws one Error that names the file and all that is wrong with it. */
export function readBootstrap(path: string, overrides: NodeOverrides = {}): SidecarBootstrap {
  const read = readBootstrapFile(path, overrides);
  const parsed = read.ok ? interpret(read.value) : read;
  if (!parsed.ok) throw new Error(`${path}: ${formatFieldErrors(parsed.errors)}`);
  return parsed.value;
}

/** What the file says, whether or not a sidecar can do so. */
export function readBootstrapFile(path: string, overrides: NodeOverrides = {}): Result<Bootstrap> {
  try {
    return decode(readFileSync(path, "utf8"), overrides);
  } catch (error) {
    return fail({ path: "", message: error instanceof Error ? error.message : String(error) });
  }
}

export function parseBootstrap(text: string, overrides: NodeOverrides = {}): Result<SidecarBootstrap> {
  const decoded = decode(text, overrides);
  return decoded.ok ? interpret(decoded.value) : decoded;
}

function decode(text: string, overrides: NodeOverrides): Result<Bootstrap> {
  const read = readDocument(text);
  if (!read.ok) return read;
  const json = read.value;
  const unknown = checkJson(BootstrapSchema, json ?? {}, extensionRegistry);
  if (unknown.length > 0) return fail(...unknown);
  let bootstrap: Bootstrap;
  try {
    bootstrap = fromJson(BootstrapSchema, (json ?? {}) as JsonValue, { registry: extensionRegistry });
  } catch (error) {
    return fail({ path: "", message: error instanceof Error ? error.message : String(error) });
  }
  applyOverrides(bootstrap, overrides);
  return ok(bootstrap);
}

/** Everything that the sidecar needs of it, or all that it does not know what to do with. */
export function interpret(bootstrap: Bootstrap): Result<SidecarBootstrap> {
  const errors = [...unsupportedFields(bootstrap), ...layerErrors(bootstrap)];
  const admin = adminAddress(bootstrap.admin?.address, errors);
  const ads = adsOf(bootstrap, errors);
  const { clusterManager, hdsConfig } = bootstrap;
  const loadStats = "cluster_manager.load_stats_config";
  const loadReports = streamOf(clusterManager?.loadStatsConfig, loadStats, bootstrap, errors);
  const healthDiscovery = streamOf(hdsConfig, "hds_config", bootstrap, errors);
  const statsSinks = statsSinksOf(bootstrap, errors);
  const peers = bootstrap.clusterManager?.localClusterName ?? "";
  if (peers !== "" && !bootstrap.staticResources?.clusters.some(({ name }) => name === peers)) {
    errors.push({ path: "cluster_manager.local_cluster_name", message: `there is no static cluster ${peers}` });
  }
  if (errors.length > 0) return fail(...errors);
  const node = bootstrap.node ?? create(NodeSchema);
  return ok({ bootstrap, node, admin, loadReports, healthDiscovery, statsSinks, ads });
}

const yaml = lazyRequire<typeof import("yaml")>("yaml");

/** JSON is YAML, but the parser of JSON is there already, and YAML's costs each sidecar of a fleet 20 ms and some MB. */
function readDocument(text: string): Result<unknown> {
  try {
    return ok(JSON.parse(text));
  } catch {
    const document = yaml().parseDocument(text, { prettyErrors: true });
    const broken = document.errors[0];
    return broken === undefined ? ok(document.toJS()) : fail({ path: "", message: broken.message });
  }
}

function applyOverrides(bootstrap: Bootstrap, { serviceNode, serviceCluster, serviceZone }: NodeOverrides): void {
  const node = bootstrap.node ?? create(NodeSchema);
  if (serviceNode) node.id = serviceNode;
  if (serviceCluster) node.cluster = serviceCluster;
  if (serviceZone)
    node.locality = {
      $typeName: "envoy.config.core.v3.Locality",
      region: "",
      subZone: "",
      ...node.locality,
      zone: serviceZone,
    };
  bootstrap.node = node;
}

function adminAddress(address: Address | undefined, errors: FieldError[]): SidecarBootstrap["admin"] {
  if (address === undefined) return undefined;
  const path = "admin.address";
  if (address.address.case !== "socketAddress") {
    errors.push({ path, message: "only socket_address is supported" });
    return undefined;
  }
  const { address: host, portSpecifier } = address.address.value;
  if (portSpecifier.case !== "portValue") {
    errors.push({ path: `${path}.socket_address`, message: "port_value is required" });
    return undefined;
  }
  return { host, port: portSpecifier.value };
}

/** A stream of its own to a static cluster; plain gRPC, whichever of its names `api_type` has. */
function streamOf(
  config: ApiConfigSource | undefined,
  field: string,
  { staticResources }: Bootstrap,
  errors: FieldError[],
): string | undefined {
  if (config === undefined) return undefined;
  const path = `${field}.grpc_services[0]`;
  const cluster = envoyGrpcCluster(config.grpcServices[0], path);
  if (!cluster.ok) {
    errors.push(...cluster.errors.map((message) => ({ path: "", message })));
    return undefined;
  }
  const found = staticResources?.clusters.find(({ name }) => name === cluster.value);
  const target = found ? grpcTarget(found) : fail(`there is no static cluster ${cluster.value}`);
  if (!target.ok) {
    errors.push(...target.errors.map((message) => ({ path: `${path}.envoy_grpc.cluster_name`, message })));
  }
  return cluster.value;
}

/** Envoy's default of initial_fetch_timeout. */
const defaultInitialFetchTimeoutMs = 15_000;

function adsOf({ dynamicResources, staticResources, node }: Bootstrap, errors: FieldError[]): SidecarBootstrap["ads"] {
  if (dynamicResources === undefined) return undefined;
  const path = "dynamic_resources.ads_config";
  const { adsConfig, ldsConfig, cdsConfig } = dynamicResources;
  if (adsConfig === undefined) {
    errors.push({ path, message: "is required with lds_config or cds_config" });
    return undefined;
  }
  if (!node?.id || !node.cluster) {
    errors.push({ path: "node", message: "id and cluster are required with dynamic_resources" });
  }
  const cluster = envoyGrpcCluster(adsConfig.grpcServices[0], `${path}.grpc_services[0]`);
  if (!cluster.ok) {
    errors.push(...cluster.errors.map((message) => ({ path: "", message })));
    return undefined;
  }
  const found = staticResources?.clusters.find(({ name }: Cluster) => name === cluster.value);
  const target = found ? grpcTarget(found) : fail(`there is no static cluster ${cluster.value}`);
  if (!target.ok) {
    errors.push(
      ...target.errors.map((message) => ({ path: `${path}.grpc_services[0].envoy_grpc.cluster_name`, message })),
    );
    return undefined;
  }
  return {
    cluster: cluster.value,
    target: target.value,
    listeners: ldsConfig !== undefined,
    clusters: cdsConfig !== undefined,
    initialFetchTimeoutMs: durationMs((ldsConfig ?? cdsConfig)?.initialFetchTimeout) ?? defaultInitialFetchTimeoutMs,
  };
}
