import type { DescService } from "@bufbuild/protobuf";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { LoadReportingService } from "../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import { ClientStatusDiscoveryService } from "../gen/proto/envoy/service/status/v3/csds_pb.js";
import { addHealth } from "../grpc/health.ts";
import { grpcListener } from "../grpc/listener.ts";
import { addReflection } from "../grpc/reflection.ts";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { registerCsds } from "./csds.ts";
import { addDiscoveryServices, discoveryServices } from "./discovery-services.ts";
import { DiscoveryStreams, type StreamEvents } from "./discovery-streams.ts";
import { defaultLimits, type XdsLimits } from "./limits.ts";
import { type ClusterLoad, LoadReports } from "./load-reports.ts";
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
  tls?: { port: number; host?: string | undefined; credentials(): Promise<TlsCredentials> };
  clock: Clock;
  logger: Logger;
  events: StreamEvents;
  limits?: Partial<XdsLimits>;
  /** Further services on the same ports. */
  services?: readonly { readonly service: DescService; add(server: Server): void }[];
}

/** In PEM. */
export interface TlsCredentials {
  key: string;
  /** The server's own certificate first. */
  certificateChain: string;
  /** What a client's certificate must lead to. */
  root: string;
}

/**
 * ADS and the single-type services over gRPC: in plain text, and over TLS for clients with a certificate. Knows clients and snapshots, not where
 * snapshots come from.
 */
export function createXdsServer(options: XdsServerOptions): XdsServer {
  const { clock, logger, events } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const listener = grpcListener(
    {
      maxMessageBytes: limits.requestBytes,
      maxStreamsPerConnection: 1_000,
      maxConnections: 2 * limits.sessions + spareConnections,
      firstMessageMs: limits.firstRequestMs,
    },
    clock,
  );
  const server = new Server(listener.options);
  const further = options.services ?? [];
  for (const { add } of further) add(server);
  const served = [...ownServices, ...further.map(({ service }) => service)];
  const health = addHealth(
    server,
    served.map(({ typeName }) => typeName),
  );
  addReflection(server, served);
  const streams = new DiscoveryStreams({ clock, logger, events, limits });
  addDiscoveryServices(server, streams);
  registerCsds(server, () => streams.sessions());
  const reports = new LoadReports(limits.loadReportMs);
  registerLrs(server, { clock, reports, reportEveryMs: limits.loadReportMs, maxStreams: limits.sessions });

  const bind = (port: number, credentials: ServerCredentials, host = options.host ?? "127.0.0.1"): Promise<number> =>
    listener.listen(server, { host, port }, credentials);
  let tlsPort: number | undefined;

  return {
    async start() {
      const tls = options.tls && { port: options.tls.port, ...(await options.tls.credentials()) };
      try {
        if (tls) tlsPort = await bind(tls.port, mutualTls(tls), options.tls?.host);
        const port = await bind(options.port, ServerCredentials.createInsecure());
        health.set(true);
        return port;
      } catch (error) {
        await listener.stop(server, 0);
        throw error;
      }
    },
    tlsPort: () => tlsPort,
    async stop(graceMs = 1_000) {
      health.set(false);
      streams.stop();
      await listener.stop(server, graceMs);
    },
    sessions: () => streams.sessions(),
    loads: () => reports.all(clock.now()),
  };
}

const ownServices = [...discoveryServices, ClientStatusDiscoveryService, LoadReportingService];

/** A handshake without a certificate of this root fails. Node's least version is TLS 1.2. */
const mutualTls = ({ key, certificateChain, root }: TlsCredentials): ServerCredentials =>
  ServerCredentials.createSsl(
    Buffer.from(root),
    [{ private_key: Buffer.from(key), cert_chain: Buffer.from(certificateChain) }],
    true,
  );

/** Of those who ask for the state of clients, or for health. */
const spareConnections = 1_000;
