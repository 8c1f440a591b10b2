import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { type ChannelCredentials, Client, credentials } from "@grpc/grpc-js";
import type { Cluster } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { Cluster_DiscoveryType } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { TransportSocketSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { GrpcService } from "../../gen/proto/envoy/config/core/v3/grpc_service_pb.js";
import { HttpProtocolOptionsSchema } from "../../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { fail, ok, type Result } from "../../lib/result.ts";
import { compileUpstreamTls, type UpstreamTls } from "../cluster/upstream-tls.ts";
import { unsupportedFields } from "../supported/supported.ts";
import type { CommonTls } from "../tls/common-tls.ts";
import { fileSecrets } from "../tls/file-secret.ts";
import { wrongName } from "../tls/tls-failure.ts";

/**
 * One gRPC channel per cluster, shared by everything that names the cluster in an `envoy_grpc`: discovery, access logs, spans. These few
 * long-lived streams use grpc-js and not the data path, which is for requests that pass through.
 */
export class GrpcChannels {
  readonly #clusters = new Map<string, Cluster>();
  readonly #targets = new Map<string, GrpcTarget>();
  readonly #channels = new Map<string, Client>();

  /**
   * Makes a static cluster of the bootstrap reachable; a cluster that no gRPC channel can use is left out. Throws an Error naming the field
   * when one that is made for gRPC has a TLS context that cannot be used.
   */
  add(cluster: Cluster): void {
    const target = grpcTarget(cluster);
    if (!target.ok && cluster.transportSocket !== undefined && isGrpcOnly(cluster)) {
      throw new Error(`static_resources: ${target.errors.join("; ")}`);
    }
    if (!target.ok) return;
    this.#clusters.set(cluster.name, cluster);
    this.#targets.set(cluster.name, target.value);
  }

  /**
   * What a new connection to a cluster is made with: files that have been replaced are read again. Throws an Error that names the file
   * which cannot be read.
   */
  credentials(clusterName: string): ChannelCredentials {
    const cluster = this.#clusters.get(clusterName);
    if (cluster === undefined) throw new Error(`there is no static cluster ${clusterName}`);
    const target = grpcTarget(cluster);
    if (!target.ok) throw new Error(target.errors.join("; "));
    this.#targets.set(clusterName, target.value);
    return channelCredentials(target.value);
  }

  /** What the channels' certificates are, for the admin's page. */
  tlsContexts(): CommonTls[] {
    return [...this.#targets.values()].flatMap(({ tls }) => tls?.common ?? []);
  }

  /** Whether the bootstrap has a cluster of that name that a channel can use. */
  has(clusterName: string): boolean {
    return this.#targets.has(clusterName);
  }

  /** The channel to a cluster, connected at first use; undefined when the cluster is unknown. */
  channel(clusterName: string): Client | undefined {
    const known = this.#channels.get(clusterName);
    if (known !== undefined) return known;
    const target = this.#targets.get(clusterName);
    if (target === undefined) return undefined;
    const channel = new Client(target.address, channelCredentials(target), {
      ...serverNameOption(target),
      "grpc.keepalive_time_ms": 30_000,
      // What was handed to a connection is gone with it: a peer that stands still for a while (20 s is the default) is worth waiting for.
      "grpc.keepalive_timeout_ms": 120_000,
      "grpc.initial_reconnect_backoff_ms": 100,
      "grpc.max_reconnect_backoff_ms": 2_000,
      // With retries grpc-js buffers messages and reports them as written before they are: see AlsClient.
      "grpc.enable_retries": 0,
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#channels.set(clusterName, channel);
    return channel;
  }

  close(): void {
    for (const channel of this.#channels.values()) channel.close();
    this.#channels.clear();
  }
}

/** Where a gRPC client finds a static cluster, and how it shows who it is. */
export interface GrpcTarget {
  /** `host:port`, or `unix:` and a path. */
  readonly address: string;
  /** Undefined: plain text. */
  readonly tls: UpstreamTls | undefined;
  /** Sent to the server. An address is no server name (RFC 6066, 3): the cluster's own name stands in for one. */
  readonly serverName: string;
}

export const serverNameOption = ({ tls, serverName }: GrpcTarget) =>
  tls === undefined ? {} : { "grpc.ssl_target_name_override": serverName };

/**
 * What a gRPC channel is made with; the server's certificate must have one of the names that the cluster wants, not that of the host. Throws
 * rather than to go on in plain text where TLS was asked for.
 */
function channelCredentials({ address, tls }: GrpcTarget): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const material = tls.common.current();
  if (material === undefined) throw new Error(`${address}: there is no certificate to call it with`);
  const { context, names } = material;
  return credentials.createFromSecureContext(context, {
    checkServerIdentity: (_, peer) => wrongName(names, peer.subjectaltname),
  });
}

/** The target of a static cluster, or why there is none. Reads the files that its TLS context names. */
export function grpcTarget(cluster: Cluster): Result<GrpcTarget, string> {
  const { transportSocket } = cluster;
  const unsupported = transportSocket === undefined ? [] : unsupportedFields(TransportSocketSchema, transportSocket);
  if (unsupported.length > 0) {
    return fail(...unsupported.map((error) => `cluster ${cluster.name}: transport_socket.${error}`));
  }
  try {
    const tls = compileUpstreamTls(transportSocket, fileSecrets);
    if (tls !== undefined && tls.common.validation === undefined) {
      return fail(`cluster ${cluster.name}: a gRPC service over TLS needs a validation_context`);
    }
    const address = grpcAddress(cluster);
    return address.ok ? ok({ address: address.value, tls, serverName: tls?.serverName || cluster.name }) : address;
  } catch (cause) {
    return fail(`cluster ${cluster.name}: ${(cause as Error).message}`);
  }
}

function grpcAddress(cluster: Cluster): Result<string, string> {
  const type = cluster.clusterDiscoveryType.case === "type" ? cluster.clusterDiscoveryType.value : undefined;
  const static_ = [Cluster_DiscoveryType.STATIC, Cluster_DiscoveryType.STRICT_DNS, Cluster_DiscoveryType.LOGICAL_DNS];
  if (type === undefined || !static_.includes(type)) {
    return fail(`cluster ${cluster.name}: a gRPC service needs a cluster of type STATIC, STRICT_DNS or LOGICAL_DNS`);
  }
  for (const locality of cluster.loadAssignment?.endpoints ?? []) {
    for (const { hostIdentifier } of locality.lbEndpoints) {
      const address = hostIdentifier.case === "endpoint" ? hostIdentifier.value.address?.address : undefined;
      if (address?.case === "socketAddress" && address.value.portSpecifier.case === "portValue") {
        const host = address.value.address;
        return ok(`${host.includes(":") ? `[${host}]` : host}:${address.value.portSpecifier.value}`);
      }
      if (address?.case === "pipe") return ok(`unix:${address.value.path}`);
    }
  }
  return fail(`cluster ${cluster.name}: load_assignment has no endpoint with an address and a port_value`);
}

/** Whether a cluster speaks HTTP/2 only: such a one is for the proxy's own gRPC streams, the data path speaks HTTP/1.1. */
export function isGrpcOnly({ typedExtensionProtocolOptions, http2ProtocolOptions }: Cluster): boolean {
  if (http2ProtocolOptions !== undefined) return true;
  const any = typedExtensionProtocolOptions["envoy.extensions.upstreams.http.v3.HttpProtocolOptions"];
  const options = any && anyUnpack(any, HttpProtocolOptionsSchema)?.upstreamProtocolOptions;
  return options?.case === "explicitHttpConfig" && options.value.protocolConfig.case === "http2ProtocolOptions";
}

/** What an `envoy_grpc` service names. */
export interface EnvoyGrpc {
  readonly cluster: string;
  /** What it calls the server; empty: as the cluster is called. */
  readonly authority: string;
}

/** Where an `envoy_grpc` service is, or why the service can't be used. `where` names the field in the error. */
export function envoyGrpc(service: GrpcService | undefined, where: string): Result<EnvoyGrpc, string> {
  if (service === undefined) return fail(`${where}: grpc_service is required`);
  const { case: kind, value } = service.targetSpecifier;
  if (kind !== "envoyGrpc")
    return fail(`${where}: only envoy_grpc is supported, not ${kind ?? "an empty grpc_service"}`);
  if (value.clusterName === "") return fail(`${where}: envoy_grpc.cluster_name is required`);
  return ok({ cluster: value.clusterName, authority: value.authority });
}

/** As `envoyGrpc`, the cluster alone: for streams to the bootstrap's own servers. */
export function envoyGrpcCluster(service: GrpcService | undefined, where: string): Result<string, string> {
  const named = envoyGrpc(service, where);
  return named.ok ? ok(named.value.cluster) : named;
}
