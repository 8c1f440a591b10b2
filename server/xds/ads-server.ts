import { toBinary } from "@bufbuild/protobuf";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import { type Node, NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { ClusterDiscoveryService } from "../gen/proto/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import { EndpointDiscoveryService } from "../gen/proto/envoy/service/endpoint/v3/eds_pb.js";
import { ListenerDiscoveryService } from "../gen/proto/envoy/service/listener/v3/lds_pb.js";
import { RouteDiscoveryService, VirtualHostDiscoveryService } from "../gen/proto/envoy/service/route/v3/rds_pb.js";
import { SecretDiscoveryService } from "../gen/proto/envoy/service/secret/v3/sds_pb.js";
import type { Clock } from "../lib/clock.ts";
import { addService } from "../lib/grpc.ts";
import type { Logger } from "../lib/logger.ts";
import { registerCsds } from "./csds.ts";
import {
  type Call,
  type DeltaCall,
  type Request,
  type SotwCall,
  subscriptionRequest,
  writePush,
} from "./discovery-messages.ts";
import type { Protocol } from "./exchange.ts";
import { peerIdentity } from "./peer-identity.ts";
import { RequestError } from "./request-error.ts";
import { Session, type SessionEvents } from "./session.ts";
import { TypeUrl } from "./types.ts";

export interface XdsServer {
  /** Resolves to the bound port; `port` 0 takes a free one. */
  start(): Promise<number>;
  /** The bound port for TLS; undefined before start, or when there is none. */
  tlsPort(): number | undefined;
  /** Ends every stream with UNAVAILABLE, so that clients come back at once, then closes. Within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  sessions(): readonly Session[];
}

export interface XdsServerOptions {
  host?: string;
  port: number;
  /** A second port with the same services, for clients that show who they are. */
  tls?: { port: number; credentials(): Promise<TlsCredentials> };
  clock: Clock;
  logger: Logger;
  events: SessionEvents & {
    /** A client has named itself: publish() a snapshot to it, now or later. Throw a RequestError to turn it away. */
    connected(session: Session): void;
    disconnected(session: Session): void;
  };
  limits?: Partial<XdsLimits>;
}

/** In PEM. */
export interface TlsCredentials {
  key: string;
  /** The server's own certificate first. */
  certificateChain: string;
  /** What a client's certificate must lead to. */
  root: string;
}

export interface XdsLimits {
  /**
   * Streams at a time on each of the two ports, so that those who show nobody who they are do not take the places of those who do;
   * one more is refused with RESOURCE_EXHAUSTED.
   */
  sessions: number;
  /** Resource names in one request. */
  namesPerRequest: number;
  /** Resource names that a stream is subscribed to, over all types. */
  namesPerStream: number;
  /** Of those names, and of what a client says it holds. */
  nameBytesPerStream: number;
  nodeIdBytes: number;
  /** The node's message without its list of extensions, which is not kept. */
  nodeBytes: number;
  requestBytes: number;
  /** Until the first request, which names the node. */
  firstRequestMs: number;
  /** One incremental response; a larger update goes out in several. Below the 4 MiB that gRPC clients take by default. */
  responseBytes: number;
  orderWaitMs: number;
}

const defaultLimits: XdsLimits = {
  sessions: 5_000,
  namesPerRequest: 50_000,
  namesPerStream: 100_000,
  nameBytesPerStream: 16 << 20,
  nodeIdBytes: 1_024,
  nodeBytes: 256 << 10,
  requestBytes: 16 << 20,
  firstRequestMs: 15_000,
  responseBytes: 3_500_000,
  orderWaitMs: 3_000,
};

/**
 * ADS and the single-type services over gRPC: in plain text, and over TLS for clients with a certificate. Knows clients and snapshots, not where
 * snapshots come from.
 */
export function createXdsServer(options: XdsServerOptions): XdsServer {
  const limits = { ...defaultLimits, ...options.limits };
  const sessions = new Map<Call, Session>();
  /** By whether the client came over TLS. */
  const calls = { certified: new Set<Call>(), anonymous: new Set<Call>() };
  let streamCount = 0;
  let stopping = false;

  function accept(call: Call, protocol: Protocol, onlyType?: TypeUrl): void {
    const peers = call.getAuthContext().transportSecurityType === undefined ? calls.anonymous : calls.certified;
    if (stopping || peers.size >= limits.sessions) {
      fail(call, stopping ? status.UNAVAILABLE : status.RESOURCE_EXHAUSTED, "too many streams");
      return;
    }
    peers.add(call);
    const silence = options.clock.setTimeout(
      () => fail(call, status.DEADLINE_EXCEEDED, "no discovery request came"),
      limits.firstRequestMs,
    );
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      silence.cancel();
      peers.delete(call);
      const session = sessions.get(call);
      sessions.delete(call);
      session?.close();
      if (session) options.events.disconnected(session);
    };
    call.on("data", (request: Request) => {
      if (over) return;
      try {
        silence.cancel();
        receive(call, protocol, request, onlyType);
      } catch (error) {
        const isClientError = error instanceof RequestError;
        if (!isClientError) options.logger.error({ err: error, peer: call.getPeer() }, "xds stream failed");
        fail(
          call,
          isClientError ? status.INVALID_ARGUMENT : status.INTERNAL,
          isClientError ? error.message : "internal error",
        );
        end();
      }
    });
    call.on("end", () => {
      end();
      call.end();
    });
    call.on("error", end);
    call.on("cancelled", end);
    call.on("close", end);
  }

  function receive(call: Call, protocol: Protocol, request: Request, onlyType: TypeUrl | undefined): void {
    const typeUrl = request.typeUrl || onlyType;
    if (!typeUrl || (onlyType && typeUrl !== onlyType)) {
      throw new RequestError(`type_url ${JSON.stringify(request.typeUrl)} is not served on this stream`);
    }
    if (!sessions.has(call) && !request.node?.id) throw new RequestError("the first request must carry node.id");
    const normal = subscriptionRequest(request, typeUrl, limits.namesPerRequest);
    const session = sessions.get(call) ?? open(call, protocol, request.node as Node);
    if (session.subscriptions.size >= maxTypes && !session.subscriptions.has(typeUrl)) {
      throw new RequestError(`more than ${maxTypes} resource types on one stream`);
    }
    session.receive(typeUrl, normal);
  }

  function open(call: Call, protocol: Protocol, sent: Node): Session {
    const node = keptNode(sent, limits);
    streamCount += 1;
    const session: Session = new Session({
      id: `${node.id}#${streamCount}`,
      node,
      identity: peerIdentity(call),
      protocol,
      clock: options.clock,
      events: options.events,
      orderWaitMs: limits.orderWaitMs,
      responseBytes: limits.responseBytes,
      maxNames: limits.namesPerStream,
      maxNameBytes: limits.nameBytesPerStream,
      write: (typeUrl, push, revision) => writePush(call, protocol, typeUrl, push, revision),
      end: (reason) => fail(call, status.UNAVAILABLE, reason),
    });
    sessions.set(call, session);
    options.events.connected(session);
    return session;
  }

  const server = new Server(channelOptions(limits));
  const delta = (onlyType?: TypeUrl) => (call: DeltaCall) => accept(call, "delta", onlyType);
  const sotw = (onlyType?: TypeUrl) => (call: SotwCall) => accept(call, "sotw", onlyType);
  addService(server, AggregatedDiscoveryService, {
    deltaAggregatedResources: delta(),
    streamAggregatedResources: sotw(),
  });
  addService(server, ListenerDiscoveryService, {
    deltaListeners: delta(TypeUrl.listener),
    streamListeners: sotw(TypeUrl.listener),
  });
  addService(server, RouteDiscoveryService, { deltaRoutes: delta(TypeUrl.route), streamRoutes: sotw(TypeUrl.route) });
  addService(server, VirtualHostDiscoveryService, { deltaVirtualHosts: delta(TypeUrl.virtualHost) });
  addService(server, ClusterDiscoveryService, {
    deltaClusters: delta(TypeUrl.cluster),
    streamClusters: sotw(TypeUrl.cluster),
  });
  addService(server, EndpointDiscoveryService, {
    deltaEndpoints: delta(TypeUrl.endpoint),
    streamEndpoints: sotw(TypeUrl.endpoint),
  });
  addService(server, SecretDiscoveryService, {
    deltaSecrets: delta(TypeUrl.secret),
    streamSecrets: sotw(TypeUrl.secret),
  });
  registerCsds(server, () => [...sessions.values()]);

  const bind = (port: number, credentials: ServerCredentials): Promise<number> =>
    new Promise((resolve, reject) => {
      server.bindAsync(`${options.host ?? "127.0.0.1"}:${port}`, credentials, (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
  let tlsPort: number | undefined;

  return {
    async start() {
      const tls = options.tls && { port: options.tls.port, ...(await options.tls.credentials()) };
      try {
        if (tls) tlsPort = await bind(tls.port, mutualTls(tls));
        return await bind(options.port, ServerCredentials.createInsecure());
      } catch (error) {
        server.forceShutdown();
        throw error;
      }
    },
    tlsPort: () => tlsPort,
    async stop(graceMs = 1_000) {
      stopping = true;
      for (const call of [...calls.certified, ...calls.anonymous])
        fail(call, status.UNAVAILABLE, "the control plane is shutting down");
      await new Promise<void>((resolve) => {
        const timer = options.clock.setTimeout(() => {
          server.forceShutdown();
          resolve();
        }, graceMs);
        server.tryShutdown(() => {
          timer.cancel();
          resolve();
        });
      });
    },
    sessions: () => [...sessions.values()],
  };
}

/** A handshake without a certificate of this root fails. Node's least version is TLS 1.2. */
const mutualTls = ({ key, certificateChain, root }: TlsCredentials): ServerCredentials =>
  ServerCredentials.createSsl(
    Buffer.from(root),
    [{ private_key: Buffer.from(key), cert_chain: Buffer.from(certificateChain) }],
    true,
  );

const maxTypes = 32;

/** A node stands in memory as long as its stream, and in every answer about the fleet. Envoy lists 50 KB of extensions that nobody reads. */
function keptNode(sent: Node, limits: XdsLimits): Node {
  const node: Node = { ...sent, extensions: [] };
  const idBytes = Buffer.byteLength(node.id);
  if (idBytes > limits.nodeIdBytes) {
    throw new RequestError(`node.id has ${idBytes} bytes; at most ${limits.nodeIdBytes} are taken`);
  }
  const bytes = toBinary(NodeSchema, node).length;
  if (bytes > limits.nodeBytes) {
    throw new RequestError(`node has ${bytes} bytes without its extensions; at most ${limits.nodeBytes} are taken`);
  }
  return node;
}

const fail = (call: Call, code: status, details: string): void => {
  call.emit("error", { code, details });
};

/** A client that vanished without a word is noticed within 40 s; one that connects and opens no stream goes after two minutes. */
const channelOptions = (limits: XdsLimits) => ({
  "grpc.max_connection_idle_ms": 120_000,
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": limits.requestBytes,
  "grpc.max_concurrent_streams": 1_000,
});
