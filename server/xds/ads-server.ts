import type { DescService } from "@bufbuild/protobuf";
import { LoadReportingService } from "../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import { ClientStatusDiscoveryService } from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import type { Authenticate, ServerMaterial } from "../grpc/guarded-tls.ts";
import { addHealth } from "../grpc/health.ts";
import { addReflection } from "../grpc/reflection.ts";
import { GrpcServer } from "../grpc/server.ts";
import type { Clock } from "../lib/clock.ts";
import type { ServiceHost } from "../lib/grpc.ts";
import type { Logger } from "../lib/logger.ts";
import { configurationFiles } from "../proto/registry.ts";
import { registerCsds } from "./csds.ts";
import { addDiscoveryServices, discoveryServices } from "./discovery-services.ts";
import { DiscoveryStreams, type StreamEvents } from "./discovery-streams.ts";
import { defaultLimits, type XdsLimits } from "./limits.ts";
import { type ClusterLoad, LoadReports, type OnLoad } from "./load-reports.ts";
import { registerLrs } from "./lrs.ts";
import type { Session } from "./session.ts";

export interface XdsServer {
  /** Resolves to the bound port; `port` 0 takes a free one. */
  start(): Promise<number>;
  /** The bound port for TLS; undefined before start, or when there is none. */
  tlsPort(): number | undefined;
  /** Ends every stream with UNAVAILABLE, so that clients come back at once, then closes. Within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  sessions(): readonly Session[];
  /** What clients last told of the load that they send, by node id. */
  loads(): ReadonlyMap<string, readonly ClusterLoad[]>;
}

export interface XdsServerOptions {
  host?: string;
  port: number;
  /** A second port with the same services, for clients that show who they are. */
  tls?: {
    port: number;
    /** Default: where the other port is. */
    hosts?: readonly string[] | undefined;
    /** Calls back when others are to take their place. */
    credentials(renew: (material: ServerMaterial) => void): Promise<ServerMaterial>;
    /** Whose token it is; unset: clients come with a certificate only. */
    authenticate?: Authenticate | undefined;
  };
  clock: Clock;
  logger: Logger;
  events: StreamEvents;
  limits?: Partial<XdsLimits>;
  /** Hears what clients report of the load that they send. */
  onLoad?: OnLoad;
  /** Further services on the same ports. */
  services?: readonly { readonly service: DescService; add(server: ServiceHost): void }[];
}

/** A proxy that hangs is known to be gone after 16 s at the latest; one that is only slow has half of that to answer. */
const signsOfLife = { everyMs: 8_000, timeoutMs: 8_000 };

/**
 * ADS and the single-type services over gRPC: in plain text, and over TLS for clients that show who they are. Knows clients and snapshots, not where
 * snapshots come from.
 */
export function createXdsServer(options: XdsServerOptions): XdsServer {
  const { clock, logger, events } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const server = new GrpcServer(
    {
      maxMessageBytes: limits.requestBytes,
      maxStreamsPerConnection: 1_000,
      maxConnections: 2 * limits.sessions + spareConnections,
      firstMessageMs: limits.firstRequestMs,
      keepalive: signsOfLife,
    },
    clock,
  );
  const further = options.services ?? [];
  for (const { add } of further) add(server);
  const served = [...ownServices, ...further.map(({ service }) => service)];
  const health = addHealth(
    server,
    served.map(({ typeName }) => typeName),
  );
  addReflection(server, served, configurationFiles);
  const streams = new DiscoveryStreams({ clock, logger, events, limits });
  addDiscoveryServices(server, streams);
  // Who asks for nothing holds nothing: it only tells of a workload's health.
  registerCsds(server, () => streams.sessions().filter(({ subscriptions }) => subscriptions.size > 0));
  const reports = new LoadReports(limits.loadReportMs, options.onLoad);
  registerLrs(server, { clock, reports, reportEveryMs: limits.loadReportMs, maxStreams: limits.sessions });

  const at = (port: number) => ({ host: options.host ?? "127.0.0.1", port });
  let tlsPort: number | undefined;

  return {
    async start() {
      const { tls } = options;
      try {
        if (tls) {
          const { port, hosts = [at(port).host], credentials, authenticate } = tls;
          tlsPort = await server.listenGuarded({ hosts, port }, { credentials, clients: authenticate ?? "certified" });
        }
        const port = await server.listen(at(options.port));
        health.set(true);
        return port;
      } catch (error) {
        await server.stop(0);
        throw error;
      }
    },
    tlsPort: () => tlsPort,
    async stop(graceMs = 1_000) {
      health.set(false);
      streams.stop();
      await server.stop(graceMs);
    },
    sessions: () => streams.sessions(),
    loads: () => reports.all(clock.now()),
  };
}

const ownServices = [...discoveryServices, ClientStatusDiscoveryService, LoadReportingService];

/** Of those who ask for the state of clients, or for health. */
const spareConnections = 1_000;
