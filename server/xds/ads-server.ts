import { create } from "@bufbuild/protobuf";
import { Server, ServerCredentials, type ServerDuplexStream, status } from "@grpc/grpc-js";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { ClusterDiscoveryService } from "../gen/proto/envoy/service/cluster/v3/cds_pb.js";
import { AggregatedDiscoveryService } from "../gen/proto/envoy/service/discovery/v3/ads_pb.js";
import {
  type DeltaDiscoveryRequest,
  type DeltaDiscoveryResponse,
  DeltaDiscoveryResponseSchema,
  type DiscoveryRequest,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from "../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { EndpointDiscoveryService } from "../gen/proto/envoy/service/endpoint/v3/eds_pb.js";
import { ListenerDiscoveryService } from "../gen/proto/envoy/service/listener/v3/lds_pb.js";
import { RouteDiscoveryService, VirtualHostDiscoveryService } from "../gen/proto/envoy/service/route/v3/rds_pb.js";
import { SecretDiscoveryService } from "../gen/proto/envoy/service/secret/v3/sds_pb.js";
import type { Clock } from "../lib/clock.ts";
import { addService } from "../lib/grpc.ts";
import type { Logger } from "../lib/logger.ts";
import { registerCsds } from "./csds.ts";
import type { Protocol, Push, SubscriptionRequest } from "./exchange.ts";
import { Session, type SessionEvents } from "./session.ts";
import { TypeUrl } from "./types.ts";

export interface XdsServer {
  /** Resolves to the bound port, that in plain text; `port` 0 takes a free one. */
  start(): Promise<number>;
  /** The bound port of TLS; 0 without it, and before start. */
  tlsPort(): number;
  /** Ends every stream with UNAVAILABLE, so that clients come back at once, then closes. Within `graceMs`. */
  stop(graceMs?: number): Promise<void>;
  sessions(): readonly Session[];
}

export interface XdsServerOptions {
  host?: string;
  port: number;
  /** The same services for clients that show a certificate. */
  tls?: XdsTls;
  clock: Clock;
  logger: Logger;
  events: SessionEvents & {
    /** A client has named itself: publish() a snapshot to it, now or later. Throw a RequestError to turn it away. */
    connected(session: Session): void;
    disconnected(session: Session): void;
  };
  limits?: Partial<XdsLimits>;
}

export interface XdsTls {
  /** 0 takes a free one. */
  port: number;
  /** The server's own, in PEM. */
  key: string;
  certificateChain: string;
  /** Whose certificates clients must show, in PEM. */
  root: string;
}

export interface XdsLimits {
  /** Streams at a time; one more is refused with RESOURCE_EXHAUSTED. */
  sessions: number;
  /** Resource names in one request. */
  namesPerRequest: number;
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
  requestBytes: 16 << 20,
  firstRequestMs: 15_000,
  responseBytes: 3_500_000,
  orderWaitMs: 3_000,
};

type DeltaCall = ServerDuplexStream<DeltaDiscoveryRequest, DeltaDiscoveryResponse>;
type SotwCall = ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>;
type Call = DeltaCall | SotwCall;
type Request = DeltaDiscoveryRequest | DiscoveryRequest;

/** ADS and the single-type services over gRPC, in plain text and over TLS. Knows clients and snapshots, not where snapshots come from. */
export function createXdsServer(options: XdsServerOptions): XdsServer {
  const limits = { ...defaultLimits, ...options.limits };
  const sessions = new Map<Call, Session>();
  const calls = new Set<Call>();
  let streamCount = 0;
  let stopping = false;

  function accept(call: Call, protocol: Protocol, onlyType?: TypeUrl): void {
    if (stopping || calls.size >= limits.sessions) {
      fail(call, stopping ? status.UNAVAILABLE : status.RESOURCE_EXHAUSTED, "too many streams");
      return;
    }
    calls.add(call);
    const silence = options.clock.setTimeout(
      () => fail(call, status.DEADLINE_EXCEEDED, "no discovery request came"),
      limits.firstRequestMs,
    );
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      silence.cancel();
      calls.delete(call);
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
    const normal = normalize(request, limits.namesPerRequest);
    const session = sessions.get(call) ?? open(call, protocol, request.node as Node);
    if (session.subscriptions.size >= maxTypes && !session.subscriptions.has(typeUrl)) {
      throw new RequestError(`more than ${maxTypes} resource types on one stream`);
    }
    session.receive(typeUrl, normal);
  }

  function open(call: Call, protocol: Protocol, node: Node): Session {
    streamCount += 1;
    const session: Session = new Session({
      id: `${node.id}#${streamCount}`,
      node,
      identity: identityOf(call),
      protocol,
      clock: options.clock,
      events: options.events,
      orderWaitMs: limits.orderWaitMs,
      responseBytes: limits.responseBytes,
      write: (typeUrl, push, revision) => writePush(call, protocol, typeUrl, push, revision),
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
  let tlsPort = 0;

  return {
    async start() {
      const { tls } = options;
      if (tls) tlsPort = await bind(tls.port, tlsCredentials(tls));
      return bind(options.port, ServerCredentials.createInsecure());
    },
    tlsPort: () => tlsPort,
    async stop(graceMs = 1_000) {
      stopping = true;
      for (const call of calls) fail(call, status.UNAVAILABLE, "the control plane is shutting down");
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

/** No client without a certificate of the root's; TLS 1.2 is Node's own minimum. */
const tlsCredentials = ({ key, certificateChain, root }: XdsTls): ServerCredentials =>
  ServerCredentials.createSsl(
    Buffer.from(root),
    [{ private_key: Buffer.from(key), cert_chain: Buffer.from(certificateChain) }],
    true,
  );

/** The one URI of the certificate that the client showed: its SPIFFE id. Undefined in plain text. Throws a RequestError for a certificate without one. */
function identityOf(call: Call): string | undefined {
  const certificate = call.getAuthContext().sslPeerCertificate;
  if (certificate === undefined) return undefined;
  const uris = (certificate.subjectaltname ?? "")
    .split(", ")
    .flatMap((name) => (name.startsWith("URI:") ? name.slice(4) : []));
  const [uri, second] = uris;
  if (uri === undefined || second !== undefined) {
    throw new RequestError(`the certificate must have one URI, the SPIFFE id, as its name; it has ${uris.length}`);
  }
  return uri;
}

/** The client broke the protocol, or cannot be served; its stream is ended with INVALID_ARGUMENT and the message. */
export class RequestError extends Error {}

const maxTypes = 32;

function normalize(request: Request, maxNames: number): SubscriptionRequest {
  const delta = "resourceNamesSubscribe" in request;
  const subscribe = delta ? request.resourceNamesSubscribe : request.resourceNames;
  const unsubscribe = delta ? request.resourceNamesUnsubscribe : [];
  if (subscribe.length + unsubscribe.length > maxNames) {
    throw new RequestError(`more than ${maxNames} resource names in one request`);
  }
  return {
    subscribe,
    unsubscribe,
    initialVersions: delta ? request.initialResourceVersions : undefined,
    versionInfo: delta ? undefined : request.versionInfo,
    responseNonce: request.responseNonce,
    error: request.errorDetail && (request.errorDetail.message || "refused without a reason"),
  };
}

function writePush(call: Call, protocol: Protocol, typeUrl: string, push: Push, revision: number): void {
  const any = (value: Uint8Array) => ({ typeUrl, value });
  const { nonce } = push;
  const controlPlane = { identifier: "limpid" };
  if (protocol === "delta") {
    (call as DeltaCall).write(
      create(DeltaDiscoveryResponseSchema, {
        typeUrl,
        nonce,
        controlPlane,
        systemVersionInfo: String(revision),
        resources: push.resources.map(({ name, version, value }) => ({ name, version, resource: any(value) })),
        removedResources: [...push.removed],
      }),
    );
  } else {
    const resources = push.resources.map(({ value }) => any(value));
    (call as SotwCall).write(
      create(DiscoveryResponseSchema, { typeUrl, nonce, controlPlane, versionInfo: push.version, resources }),
    );
  }
}

const fail = (call: Call, code: status, details: string): void => {
  call.emit("error", { code, details });
};

/** A client that vanished without a word is noticed within 40 s. */
const channelOptions = (limits: XdsLimits) => ({
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 10_000,
  "grpc.max_receive_message_length": limits.requestBytes,
  "grpc.max_concurrent_streams": 1_000,
});
