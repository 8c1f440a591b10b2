import { createServer, type Socket } from "node:net";
import {
  type Metadata,
  type Server,
  ServerCredentials,
  ServerInterceptingCall,
  type ServerInterceptingCallInterface,
  type ServerInterceptor,
  type ServerOptions,
  status,
} from "@grpc/grpc-js";
import type { Clock } from "../lib/clock.ts";
import { ConnectionTable } from "../lib/connection-table.ts";
import { type Authenticate, claimedIdentity, type GuardedTls, identityKey, tlsListener } from "./guarded-tls.ts";

export interface GrpcLimits {
  maxMessageBytes: number;
  maxStreamsPerConnection: number;
  maxConnections: number;
  /** Until a call's first message; one that says nothing is no work, and would keep its connection's place. */
  firstMessageMs: number;
  /** How often a connection is asked for a sign of life, and how long that may take. Default 30 and 10 s. */
  keepalive?: { everyMs: number; timeoutMs: number };
}

export interface GrpcListener {
  /** For the server's constructor. */
  readonly options: ServerOptions;
  /** Resolves to the bound port; `port` 0 takes a free one. Rejects with the system's error. */
  listen(server: Server, at: { host: string; port: number }, credentials: ServerCredentials): Promise<number>;
  /** The same over TLS, at several addresses, for clients who show a certificate, or say by a token who they are. Certificates may change while it is bound. */
  listenGuarded(server: Server, at: { hosts: readonly string[]; port: number }, tls: GuardedTls): Promise<number>;
  /** Takes no more connections and calls, lets those that there are end within `graceMs`, then ends them. */
  stop(server: Server, graceMs: number): Promise<void>;
}

/**
 * Connections that wait for their turn to be accepted; the system has a bound of its own. Of Node's 511, thousands of proxies that come back at once lose some,
 * and try again after one second, three, seven.
 */
const backlog = 4_096;

/**
 * The ports of a gRPC server, with limits. A client that vanished without a word is noticed within 40 s; one that connects and calls nothing goes
 * after two minutes, or sooner when its place is wanted (ConnectionTable).
 */
export function grpcListener(limits: GrpcLimits, clock: Clock): GrpcListener {
  const connections = new ConnectionTable<Socket>(limits.maxConnections);
  const byPeer = new Map<string, Socket>();
  /** Who is asked for a token: connections of a guarded port. */
  const guards = new WeakMap<Socket, Authenticate>();
  const ports: ReturnType<typeof createServer>[] = [];

  const counted: ServerInterceptor = (_, call) => {
    const socket = byPeer.get(call.getPeer());
    if (socket !== undefined) connections.begin(socket);
    const isCertified = call.getAuthContext().transportSecurityType !== undefined;
    const authenticate = socket === undefined || isCertified ? undefined : guards.get(socket);
    return watched(call, { clock, firstMessageMs: limits.firstMessageMs, authenticate }, () => {
      if (socket !== undefined) connections.end(socket);
    });
  };

  function bind(
    { host, port }: { host: string; port: number },
    take: (socket: Socket) => void,
    authenticate?: Authenticate,
  ): Promise<number> {
    const listener = createServer({ noDelay: true }, (socket) => {
      // Of a handshake or a session that fails; grpc-js hears of it as well.
      socket.on("error", () => {});
      if (!connections.add(socket)) return;
      const peer = `${socket.remoteAddress}:${socket.remotePort}`;
      byPeer.set(peer, socket);
      if (authenticate) guards.set(socket, authenticate);
      socket.once("close", () => {
        connections.remove(socket);
        if (byPeer.get(peer) === socket) byPeer.delete(peer);
      });
      take(socket);
    });
    ports.push(listener);
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

  return {
    options: {
      "grpc.max_connection_idle_ms": 120_000,
      "grpc.keepalive_time_ms": limits.keepalive?.everyMs ?? 30_000,
      "grpc.keepalive_timeout_ms": limits.keepalive?.timeoutMs ?? 10_000,
      "grpc.max_receive_message_length": limits.maxMessageBytes,
      "grpc.max_concurrent_streams": limits.maxStreamsPerConnection,
      interceptors: [counted],
    },
    listen(server, at, credentials) {
      const injector = server.createConnectionInjector(credentials);
      return bind(at, (socket) => injector.injectConnection(socket));
    },
    async listenGuarded(server, { hosts, port: wanted }, tls) {
      // TLS ends before grpc-js, which knows no certificates that a client may leave out.
      const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
      const secure = await tlsListener(tls, (socket) => injector.injectConnection(socket));
      const { clients } = tls;
      let port = wanted;
      for (const host of hosts) {
        port = await bind(
          { host, port },
          (socket) => void secure.emit("connection", socket),
          typeof clients === "function" ? clients : undefined,
        );
      }
      return port;
    },
    async stop(server, graceMs) {
      // grpc-js waits for connections by its own listening sockets only, and has none here.
      const ended = Promise.all(ports.splice(0).map((listener) => new Promise((resolve) => listener.close(resolve))));
      server.tryShutdown(() => {});
      const timer = clock.setTimeout(() => server.forceShutdown(), graceMs);
      await ended;
      timer.cancel();
    },
  };
}

/** Tells once when the call is over, and ends one that says nothing. */
function watched(
  call: ServerInterceptingCallInterface,
  {
    clock,
    firstMessageMs,
    authenticate,
  }: { clock: Clock; firstMessageMs: number; authenticate: Authenticate | undefined },
  onEnd: () => void,
): ServerInterceptingCall {
  let over = false;
  const end = (): void => {
    if (over) return;
    over = true;
    silence.cancel();
    onEnd();
  };
  const silence = clock.setTimeout(() => refuse(status.DEADLINE_EXCEEDED, "no message came"), firstMessageMs);
  const refuse = (code: status, details: string): void => {
    call.sendStatus({ code, details });
    end();
  };
  return new ServerInterceptingCall(call, {
    start(next) {
      next({
        onReceiveMetadata(metadata: Metadata, pass) {
          metadata.remove(identityKey);
          if (authenticate === undefined) return pass(metadata);
          void claimedIdentity(metadata, authenticate).then((claim) => {
            if (over) return;
            if ("refused" in claim) return refuse(claim.code, claim.refused);
            metadata.set(identityKey, claim.identity);
            pass(metadata);
          });
        },
        onReceiveMessage(message, pass) {
          silence.cancel();
          pass(message);
        },
        onCancel: end,
      });
    },
    sendStatus(result, next) {
      end();
      next(result);
    },
  });
}
