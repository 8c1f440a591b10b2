import { status } from "@grpc/grpc-js";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { HealthStatus } from "../gen/proto/envoy/config/core/v3/health_check_pb.js";
import {
  Capability_Protocol,
  type EndpointHealthResponse,
  type HealthCheckSpecifier,
  HealthDiscoveryService,
  type HealthCheckRequestOrEndpointHealthResponse as Message,
} from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import { addService, type DuplexCall, type ServiceHost } from "../lib/grpc.ts";
import { peerIdentity } from "./peer-identity.ts";

/** A client that offers to probe endpoints. */
export interface Prober {
  readonly node: Node;
  /** The URI of its certificate; undefined: it came over plain text. */
  readonly identity: string | undefined;
  readonly protocols: ReadonlySet<"http" | "tcp">;
  /** What it is to probe from now on, in the place of what it was told before. */
  assign(specifier: HealthCheckSpecifier): void;
}

/** What a prober found of one endpoint of one of the clusters that it was told. */
export interface ProbedEndpoint {
  cluster: string;
  address: string;
  port: number;
  healthy: boolean;
}

export interface HdsOptions {
  /** Streams at a time. */
  maxStreams: number;
  joined(prober: Prober): void;
  reported(prober: Prober, endpoints: readonly ProbedEndpoint[]): void;
  left(prober: Prober): void;
}

/** A report of more endpoints than this is cut there. */
const maxEndpoints = 50_000;

/**
 * Clients register, get endpoints to probe, and report. A stream only: without one nobody can be told of new endpoints.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/health/v3/hds.proto
 */
export function addHealthDiscovery(server: ServiceHost, options: HdsOptions): void {
  let streams = 0;
  addService(server, HealthDiscoveryService, {
    streamHealthCheck(call) {
      if (streams >= options.maxStreams) {
        call.emit("error", { code: status.RESOURCE_EXHAUSTED, details: "too many streams" });
        return;
      }
      streams += 1;
      let prober: Prober | undefined;
      let over = false;
      const end = () => {
        if (over) return;
        over = true;
        streams -= 1;
        if (prober) options.left(prober);
      };
      call.on("data", ({ requestType }: Message) => {
        if (over) return;
        if (requestType.case === "endpointHealthResponse") {
          if (prober) options.reported(prober, probedIn(requestType.value));
          return;
        }
        const { node, capability } = requestType.value ?? {};
        const id = node?.id ?? "";
        if (prober || !node || id === "" || id.length > 1_024) {
          if (!prober)
            call.emit("error", { code: status.INVALID_ARGUMENT, details: "the first request must carry node.id" });
          return;
        }
        prober = proberOf(call, { ...node, extensions: [] }, capability?.healthCheckProtocols ?? []);
        options.joined(prober);
      });
      call.on("end", () => {
        end();
        call.end();
      });
      for (const event of ["error", "cancelled", "close"]) call.on(event, end);
    },
    fetchHealthCheck(_call, callback) {
      callback({ code: status.UNIMPLEMENTED, details: "health discovery is served on a stream: StreamHealthCheck" });
    },
  });
}

const proberOf = (
  call: DuplexCall<Message, HealthCheckSpecifier>,
  node: Node,
  protocols: readonly Capability_Protocol[],
): Prober => ({
  node,
  identity: peerIdentity(call),
  protocols: new Set(
    protocols.flatMap((protocol) => {
      if (protocol === Capability_Protocol.HTTP) return "http" as const;
      return protocol === Capability_Protocol.TCP ? ("tcp" as const) : [];
    }),
  ),
  assign: (specifier) => void call.write(specifier),
});

function probedIn({ clusterEndpointsHealth }: EndpointHealthResponse): ProbedEndpoint[] {
  const found: ProbedEndpoint[] = [];
  for (const { clusterName: cluster, localityEndpointsHealth } of clusterEndpointsHealth) {
    for (const { endpoint, healthStatus } of localityEndpointsHealth.flatMap((it) => it.endpointsHealth)) {
      const at = endpoint?.address?.address;
      if (at?.case !== "socketAddress" || at.value.portSpecifier.case !== "portValue") continue;
      if (found.length >= maxEndpoints) return found;
      const { address, portSpecifier } = at.value;
      // Envoy reports DEGRADED for one that answers so; it still gets requests.
      const healthy = healthStatus === HealthStatus.HEALTHY || healthStatus === HealthStatus.DEGRADED;
      found.push({ cluster, address, port: portSpecifier.value, healthy });
    }
  }
  return found;
}
