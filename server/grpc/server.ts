import { createServer, type Socket } from "node:net";
import { type ServiceDefinition, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { ErrorCode } from "../http2/errors.ts";
import type { Counter, Http2Stats } from "../http2/http2-stats.ts";
import { http2CodecStats } from "../http2/http2-stats.ts";
import type { BodyHandler, StreamRequestHead } from "../http2/messages.ts";
import { defaultOptions, type Http2Options } from "../http2/options.ts";
import type { Http2ServerHost } from "../http2/server-connection.ts";
import type { Clock } from "../lib/clock.ts";
import { ConnectionTable } from "../lib/connection-table.ts";
import type { ServiceHost } from "../lib/grpc.ts";
import { Timers } from "../lib/timers.ts";
import { BufferPool } from "./buffer-pool.ts";
import { Call, type CallHost } from "./call.ts";
import { GrpcConnection, type GrpcStream } from "./connection.ts";
import { fieldOf, isGrpc } from "./fields.ts";
import { type Authenticate, claimedIdentity, type GuardedTls, identityKey, tlsListener } from "./guarded-tls.ts";
import { LargeMessages } from "./large-messages.ts";
import { type Method, methodOf } from "./method.ts";

export interface GrpcLimits {
  maxMessageBytes: number;
  maxStreamsPerConnection: number;
  maxConnections: number;
  /** Until a call's first message; one that says nothing is no work, and would keep its connection's place. */
  firstMessageMs: number;
  /** How often a connection is asked for a sign of life, and how long that may take. Default 30 and 10 s. */
  keepalive?: { everyMs: number; timeoutMs: number };
}

/**
 * Connections that wait for their turn to be accepted; the system has a bound of its own. Of Node's 511, thousands of proxies that come back at once lose some,
 * and try again after one second, three, seven.
 */
const backlog = 4_096;

const idleMs = 120_000;

/**
 * A gRPC server on our own HTTP/2 codec, with limits. A client that vanished without a word is noticed within 40 s; one that connects and calls nothing goes
 * after two minutes, or sooner when its place is wanted (ConnectionTable). Why not grpc-js: docs/decisions/0060-own-grpc-server.md.
 */
export class GrpcServer implements ServiceHost {
  readonly #clock: Clock;
  readonly #timers = new Timers();
  readonly #options: Http2Options;
  readonly #callHost: CallHost;
  readonly #methods = new Map<string, Method>();
  readonly #table: ConnectionTable<Socket>;
  readonly #sockets = new Map<string, Socket>();
  readonly #connections = new Set<GrpcConnection>();
  readonly #calls = new Set<Call>();
  readonly #ports: ReturnType<typeof createServer>[] = [];
  #stopping = false;

  constructor(limits: GrpcLimits, clock: Clock) {
    this.#clock = clock;
    this.#options = optionsOf(limits);
    this.#table = new ConnectionTable(limits.maxConnections);
    this.#callHost = {
      clock,
      maxMessageBytes: limits.maxMessageBytes,
      firstMessageMs: limits.firstMessageMs,
      largeMessages: new LargeMessages({ clock }),
      buffers: new BufferPool(),
      onOver: (call) => this.#onOver(call),
    };
  }

  addService(definition: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    for (const [name, method] of Object.entries(definition)) {
      const handler = implementation[name];
      if (handler) this.handle(methodOf(method, handler));
    }
  }

  /** Of a path without a method, UNIMPLEMENTED is said. */
  handle<Request, Response>(method: Method<Request, Response>): void {
    this.#methods.set(method.path, method as Method<never, never> as Method);
  }

  /** In plain text. Resolves to the bound port; `port` 0 takes a free one. Rejects with the system's error. */
  listen(at: { host: string; port: number }): Promise<number> {
    return this.#bind(at, (socket) => this.#serve(socket, undefined));
  }

  /** The same over TLS, at several addresses, for clients who show a certificate, or say by a token who they are. Certificates may change while it is bound. */
  async listenGuarded(
    { hosts, port: wanted }: { hosts: readonly string[]; port: number },
    tls: GuardedTls,
  ): Promise<number> {
    const { clients } = tls;
    const authenticate = typeof clients === "function" ? clients : undefined;
    const secure = await tlsListener(tls, (socket) => this.#serve(socket, authenticate));
    let port = wanted;
    for (const host of hosts)
      port = await this.#bind({ host, port }, (socket) => void secure.emit("connection", socket));
    return port;
  }

  /** Takes no more connections and calls, lets those that there are end within `graceMs`, then ends them. */
  async stop(graceMs: number): Promise<void> {
    this.#stopping = true;
    const ended = Promise.all(this.#ports.splice(0).map((port) => new Promise((resolve) => port.close(resolve))));
    for (const connection of [...this.#connections]) connection.closeIdle();
    const timer = this.#clock.setTimeout(() => {
      for (const call of [...this.#calls]) call.abort(ErrorCode.cancel);
      for (const socket of this.#sockets.values()) socket.destroySoon();
    }, graceMs);
    await ended;
    timer.cancel();
    this.#timers.stop();
  }

  #bind({ host, port }: { host: string; port: number }, take: (socket: Socket) => void): Promise<number> {
    const listener = createServer({ noDelay: true }, (socket) => {
      socket.on("error", () => {}); // of a handshake; a connection hears of it as well
      if (!this.#table.add(socket)) return;
      const peer = nameOf(socket);
      this.#sockets.set(peer, socket);
      socket.once("close", () => {
        this.#table.remove(socket);
        if (this.#sockets.get(peer) === socket) this.#sockets.delete(peer);
      });
      take(socket);
    });
    this.#ports.push(listener);
    return new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen({ port, host, backlog }, () => {
        listener.removeListener("error", reject);
        listener.on("error", () => {}); // an accept that fails (too many open files) must not end the process
        const address = listener.address();
        resolve(typeof address === "object" && address !== null ? address.port : port);
      });
    });
  }

  #serve(socket: Socket, authenticate: Authenticate | undefined): void {
    const host: Http2ServerHost<GrpcStream> = {
      onStream: (stream, head, end) => this.#onStream(stream, head, end),
      onRefused: (stream, _, { status: code }) => (code === 431 ? tooMuchMetadata(stream) : refused(stream, code)),
      onClosed: () => this.#connections.delete(connection),
    };
    const context = { options: this.#options, stats: uncounted, timers: this.#timers };
    const connection: GrpcConnection = new GrpcConnection(socket, context, host, authenticate);
    this.#connections.add(connection);
    if (this.#stopping) connection.closeIdle();
  }

  #onStream(stream: GrpcStream, { method: verb, path, headers }: StreamRequestHead, end: boolean): BodyHandler {
    if (verb !== "POST") return refused(stream, 405);
    if (!isGrpc(fieldOf(headers, "content-type"))) return refused(stream, 415);
    const call = new Call(stream, headers, this.#methods.get(path) ?? missing(path), this.#callHost);
    this.#calls.add(call);
    const socket = this.#sockets.get(stream.connection.peerName);
    if (socket) this.#table.begin(socket);
    this.#admit(call, stream.connection);
    if (end) call.onEnd();
    return call;
  }

  #admit(call: Call, { authenticate, authContext }: GrpcConnection): void {
    call.metadata.remove(identityKey);
    if (authenticate === undefined || authContext.transportSecurityType !== undefined) {
      call.begin();
      return;
    }
    void claimedIdentity(call.metadata, authenticate).then((claim) => {
      if ("refused" in claim) {
        call.refuse(claim.code, claim.refused);
        return;
      }
      call.metadata.set(identityKey, claim.identity);
      call.begin();
    });
  }

  #onOver(call: Call): void {
    if (!this.#calls.delete(call)) return;
    const socket = this.#sockets.get(call.getPeer());
    if (socket) this.#table.end(socket);
  }
}

const nameOf = (socket: Socket): string => `${socket.remoteAddress}:${socket.remotePort}`;

const missing = (path: string): Method => ({
  path,
  decode: (bytes) => bytes,
  encode: () => [],
  handler: {
    kind: "bidi",
    handle: (call) =>
      void call.emit("error", {
        code: status.UNIMPLEMENTED,
        details: `the server does not implement the method ${path}`,
      }),
  },
});

/** An answer without gRPC. */
function refused(stream: GrpcStream, code: number): BodyHandler {
  stream.sendHead({ status: code, headers: [], contentLength: -1, bytes: 0 }, true);
  return nobody;
}

function tooMuchMetadata(stream: GrpcStream): BodyHandler {
  const { maxHeaderBytes, maxHeaders } = defaultOptions;
  const details = `metadata may have ${maxHeaders} fields and ${maxHeaderBytes} bytes`;
  const headers = ["content-type", "application/grpc", "grpc-status", String(status.RESOURCE_EXHAUSTED)];
  stream.sendHead({ status: 200, headers: [...headers, "grpc-message", details], contentLength: -1, bytes: 0 }, true);
  return nobody;
}

const nobody: BodyHandler = { onData() {}, onEnd() {}, onReset() {}, onDrain() {} };

function optionsOf({ maxStreamsPerConnection, keepalive }: GrpcLimits): Http2Options {
  return {
    ...defaultOptions,
    maxConcurrentStreams: maxStreamsPerConnection,
    // The least that there is: for a message that is larger a stream's window is opened by itself.
    initialStreamWindow: 0,
    initialConnectionWindow: 1 << 20,
    maxPingsPerSecond: 100,
    streamErrorOnInvalidMessaging: true,
    connectionIdleMs: idleMs,
    keepalive: {
      intervalMs: keepalive?.everyMs ?? 30_000,
      timeoutMs: keepalive?.timeoutMs ?? 10_000,
      jitterPercent: 0,
      idleIntervalMs: 0,
    },
  };
}

const nothing: Counter = { value: 0, inc() {} };
/** Nobody asks how many frames there were. */
const uncounted: Http2Stats = {
  ...http2CodecStats(() => nothing),
  cxDrainClose: nothing,
  cxIdleTimeout: nothing,
  cxProtocolError: nothing,
  prematureResets: nothing,
  rxBytes: nothing,
  txBytes: nothing,
};
