import { toBinary } from "@bufbuild/protobuf";
import { type ServerUnaryCall, type StatusObject, status } from "@grpc/grpc-js";
import { type Node, NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { decodeRequest, type Request, subscriptionRequest } from "./discovery-messages.ts";
import type { Call, DiscoveryHandlers, FetchHandler } from "./discovery-services.ts";
import { type EncodedResponse, encodeResponse } from "./encoded-response.ts";
import type { Protocol, Push } from "./exchange.ts";
import { keepsTime } from "./lifetimes.ts";
import type { XdsLimits } from "./limits.ts";
import { type AuthenticatedCall, peerIdentity, tokenIdentity } from "./peer-identity.ts";
import { RequestError } from "./request-error.ts";
import { Session, type SessionEvents, type SessionOptions } from "./session.ts";
import { Turns } from "./turns.ts";
import type { TypeUrl } from "./types.ts";
import { WriteGate } from "./write-gate.ts";

export interface StreamEvents extends SessionEvents {
  /** A client has named itself: publish() a snapshot to it, now or later. Throw a RequestError to turn it away. */
  connected(session: Session): void;
  disconnected(session: Session): void;
  /** What the client's workload was found to be by its own probe; `problem` undefined: well. */
  reported?(session: Session, problem: string | undefined): void;
}

export interface DiscoveryStreamsOptions {
  clock: Clock;
  logger: Logger;
  events: StreamEvents;
  limits: XdsLimits;
}

/** Streams and unary calls of every discovery service, each with its session. */
export class DiscoveryStreams implements DiscoveryHandlers {
  readonly #options: DiscoveryStreamsOptions;
  readonly #sessions = new Map<object, Session>();
  /** Open streams, by whether the client has shown who it is. */
  readonly #calls = { certified: new Set<Call>(), anonymous: new Set<Call>() };
  readonly #turns = new Turns();
  readonly #gate: WriteGate<Call>;
  #count = 0;
  #stopping = false;

  constructor(options: DiscoveryStreamsOptions) {
    this.#options = options;
    this.#gate = new WriteGate({ clock: options.clock });
  }

  sessions(): Session[] {
    return [...this.#sessions.values()];
  }

  /** Ends every stream with UNAVAILABLE, so that clients come back at once; no other is taken. */
  stop(): void {
    this.#stopping = true;
    for (const call of [...this.#calls.certified, ...this.#calls.anonymous]) {
      fail(call, status.UNAVAILABLE, "the control plane is shutting down");
    }
  }

  stream(call: Call, protocol: Protocol, onlyType?: TypeUrl): void {
    const { clock, limits } = this.#options;
    const peers = isCertified(call) ? this.#calls.certified : this.#calls.anonymous;
    if (this.#stopping || peers.size >= limits.sessions) {
      fail(call, this.#stopping ? status.UNAVAILABLE : status.RESOURCE_EXHAUSTED, "too many streams");
      return;
    }
    peers.add(call);
    const silence = clock.setTimeout(
      () => fail(call, status.DEADLINE_EXCEEDED, "no discovery request came"),
      limits.firstRequestMs,
    );
    let over = false;
    const end = () => {
      if (over) return;
      over = true;
      silence.cancel();
      peers.delete(call);
      this.#gate.drop(call);
      this.#close(call);
    };
    call.on("data", (bytes: Buffer) => {
      silence.cancel();
      // The next request is read when this one has had its turn: so what waits is bounded by the number of streams.
      call.pause();
      this.#turns.run(() => {
        if (over) return;
        try {
          this.#receive(call, protocol, bytes, onlyType);
          call.resume();
        } catch (error) {
          const { code, details } = this.#failure(error, call.getPeer());
          fail(call, code, details);
          end();
        }
      });
    });
    call.on("end", () => {
      end();
      call.end();
    });
    call.on("error", end);
    call.on("cancelled", end);
    call.on("close", end);
  }

  /** One answer, from a session that lives until then. The version that the client has doesn't matter: it wants an answer. */
  fetch(onlyType: TypeUrl): FetchHandler {
    return (call, callback) => {
      let over = false;
      const finish = (error: Partial<StatusObject> | null, response?: EncodedResponse) => {
        if (over) return;
        over = true;
        timer.cancel();
        this.#close(call);
        callback(error, response);
      };
      const timer = this.#options.clock.setTimeout(
        () => finish({ code: status.UNAVAILABLE, details: "there is nothing to answer with yet" }),
        this.#options.limits.firstRequestMs,
      );
      call.on("cancelled", () => finish({ code: status.CANCELLED, details: "cancelled" }));
      this.#turns.run(() => {
        if (over) return;
        try {
          this.#answer(call, onlyType, (push, revision) =>
            finish(null, encodeResponse("sotw", onlyType, push, revision)),
          );
        } catch (error) {
          finish(this.#failure(error, call.getPeer()));
        }
      });
    };
  }

  #answer(
    call: ServerUnaryCall<Buffer, EncodedResponse>,
    onlyType: TypeUrl,
    write: (push: Push, revision: number) => void,
  ): void {
    if (this.#stopping) throw new RequestError("the control plane is shutting down");
    const request = decodeRequest("sotw", call.request);
    if (request.typeUrl && request.typeUrl !== onlyType) throw notServed(request.typeUrl);
    const { node, nodeBytes } = request;
    if (!node?.id) throw missingNode();
    const { subscribe } = subscriptionRequest(request, onlyType, this.#options.limits.namesPerRequest);
    const session = this.#open(
      call,
      { protocol: "sotw", aggregated: false, lasting: false },
      { node, nodeBytes },
      (_, push, revision) => write(push, revision),
    );
    session.receive(onlyType, { subscribe, responseNonce: "" });
  }

  #receive(call: Call, protocol: Protocol, bytes: Buffer, onlyType: TypeUrl | undefined): void {
    const request = decodeRequest(protocol, bytes);
    const typeUrl = request.typeUrl || onlyType;
    if (!typeUrl || (onlyType && typeUrl !== onlyType)) throw notServed(request.typeUrl);
    const normal = subscriptionRequest(request, typeUrl, this.#options.limits.namesPerRequest);
    const session = this.#sessions.get(call) ?? this.#begin(call, protocol, request, onlyType);
    if (typeUrl === healthInformation) {
      this.#options.events.reported?.(session, request.error);
      return;
    }
    if (session.subscriptions.size >= maxTypes && !session.subscriptions.has(typeUrl)) {
      throw new RequestError(`more than ${maxTypes} resource types on one stream`);
    }
    session.receive(typeUrl, normal);
  }

  #begin(call: Call, protocol: Protocol, { node, nodeBytes }: Request, onlyType: TypeUrl | undefined): Session {
    if (!node?.id) throw missingNode();
    const kind = { protocol, aggregated: !onlyType, keepsTime: keepsTime(node.clientFeatures) };
    return this.#open(call, kind, { node, nodeBytes }, (type, push, revision) =>
      this.#write(call, encodeResponse(protocol, type, push, revision, kind.keepsTime)),
    );
  }

  #write(call: Call, response: EncodedResponse): void {
    const write = (done: () => void) => void call.write(response, done);
    this.#gate.write(call, { bytes: response.byteLength, write });
  }

  #open(
    call: AuthenticatedCall,
    kind: Pick<SessionOptions, "protocol" | "aggregated" | "keepsTime" | "lasting">,
    sent: { node: Node; nodeBytes: number },
    write: (typeUrl: string, push: Push, revision: number) => void,
  ): Session {
    const { clock, events, limits } = this.#options;
    const node = keptNode(sent, limits);
    this.#count += 1;
    const session: Session = new Session({
      id: `${node.id}#${this.#count}`,
      node,
      identity: peerIdentity(call),
      ...kind,
      clock,
      events,
      orderWaitMs: limits.orderWaitMs,
      responseBytes: limits.responseBytes,
      maxNames: limits.namesPerStream,
      maxNameBytes: limits.nameBytesPerStream,
      write,
      end: (reason) => "emit" in call && fail(call as unknown as Call, status.UNAVAILABLE, reason),
    });
    this.#sessions.set(call, session);
    events.connected(session);
    return session;
  }

  #close(call: object): void {
    const session = this.#sessions.get(call);
    this.#sessions.delete(call);
    session?.close();
    if (session) this.#options.events.disconnected(session);
  }

  #failure(error: unknown, peer: string): { code: status; details: string } {
    if (error instanceof RequestError) return { code: status.INVALID_ARGUMENT, details: error.message };
    this.#options.logger.error({ err: error, peer }, "xds stream failed");
    return { code: status.INTERNAL, details: "internal error" };
  }
}

const maxTypes = 32;

/** By which Istio's agents tell what they found by the probe of a WorkloadGroup: a request without an answer, with an error or without. */
export const healthInformation = "type.googleapis.com/istio.v1.HealthInformation";

const notServed = (typeUrl: string) =>
  new RequestError(`type_url ${JSON.stringify(typeUrl)} is not served on this stream`);
const missingNode = () => new RequestError("the first request must carry node.id");

const isCertified = (call: AuthenticatedCall): boolean =>
  call.getAuthContext().transportSecurityType !== undefined || tokenIdentity(call) !== undefined;

/** A node stands in memory as long as its stream, and in every answer about the fleet. Envoy lists 50 KB of extensions that nobody reads. */
function keptNode({ node: sent, nodeBytes }: { node: Node; nodeBytes: number }, limits: XdsLimits): Node {
  const node: Node = { ...sent, extensions: [] };
  const idBytes = Buffer.byteLength(node.id);
  if (idBytes > limits.nodeIdBytes) {
    throw new RequestError(`node.id has ${idBytes} bytes; at most ${limits.nodeIdBytes} are taken`);
  }
  const bytes = nodeBytes <= limits.nodeBytes ? nodeBytes : toBinary(NodeSchema, node).length;
  if (bytes > limits.nodeBytes) {
    throw new RequestError(`node has ${bytes} bytes without its extensions; at most ${limits.nodeBytes} are taken`);
  }
  return node;
}

const fail = (call: Call, code: status, details: string): void => {
  call.emit("error", { code, details });
};
