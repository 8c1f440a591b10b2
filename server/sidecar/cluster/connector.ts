import { connect, type Socket } from "node:net";
import type { ConnectionAddresses } from "../http/addresses.ts";
import type { ClientConnection, ClientConnectionOwner } from "../http/stream.ts";
import { type ClientSocket, Http1ClientConnection } from "../http1/client-connection.ts";
import { Http2ClientConnection } from "../http2/client-connection.ts";
import type { Metadata } from "../record.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";
import { turnedAway } from "../tls/tls-failure.ts";
import { AlpnConnection } from "./alpn-connection.ts";
import type { ClusterStats } from "./cluster-stats.ts";
import type { EndpointConfig } from "./endpoint.ts";
import { dialInProcess } from "./in-process.ts";
import type { PoolHost } from "./pool-host.ts";
import { proxyHeader } from "./proxy-protocol.ts";
import { transportOf } from "./transport.ts";
import { connectFailure, connectTls, tlsOf, type UpstreamTls } from "./upstream-tls.ts";

/** A connection that is being made, with what the codecs don't know of it. */
export interface Connecting {
  readonly connection: ClientConnection;
  /** `ip:port` of our end; empty until it is connected. */
  readonly localAddress: () => string;
  /** What the handshake agreed on; undefined: plain text. */
  readonly tls: () => TlsConnection | undefined;
}

/** What an endpoint is spoken to in; `auto`: as the TLS handshake agrees. */
export type UpstreamProtocol = "http1" | "http2" | "auto";

/** Where a connection goes. */
export interface Place {
  readonly address: string;
  readonly port: number;
  /** That TLS is for; "": what the cluster says. */
  readonly tlsHost?: string;
  /** Of the endpoint, by which its transport is chosen. */
  readonly metadata: Metadata | undefined;
}

/** Where connections to an endpoint go: of one that a call has named, TLS is for that name. */
export const placeOf = ({ address, port, key, hostname, metadata }: EndpointConfig): Place => ({
  address,
  port,
  tlsHost: key === undefined ? "" : hostname,
  metadata,
});

/** Opens a connection to an endpoint by the TLS settings of its cluster. */
export function openConnection(
  { config, stats, timers }: Pick<PoolHost, "config" | "stats" | "timers">,
  { address: host, port, tlsHost, metadata }: Place,
  protocol: UpstreamProtocol,
  owner: ClientConnectionOwner,
  /** Whose connection it is for; undefined: the proxy's own. */
  origin?: ConnectionAddresses,
): Connecting {
  const target = { host, port, noDelay: true, allowHalfOpen: false, localAddress: config.bindAddress || undefined };
  const { tls, proxyProtocol } = transportOf(config, metadata);
  const announce =
    proxyProtocol === undefined
      ? undefined
      : (socket: Socket) => void socket.write(proxyHeader(proxyProtocol, origin, socket));
  let opened: ClientSocket | undefined;
  const open = (onRead: OnRead): ClientSocket => {
    opened =
      tls === undefined
        ? openPlain(target, announce, onRead)
        : openTls(target, tls, { protocol, stats, tlsHost, announce }, onRead);
    return opened;
  };
  const codec = (kind: "http1" | "http2", from: typeof open, its: ClientConnectionOwner): ClientConnection => {
    if (kind === "http1") return new Http1ClientConnection({ open: from, stats }, its);
    stats.cxHttp2.inc();
    return new Http2ClientConnection({ open: from }, { options: config.http2, stats: stats.http2, timers }, its);
  };
  const connection = protocol === "auto" ? negotiated(open, owner, codec) : codec(protocol, open, owner);
  return {
    connection,
    localAddress: () => (opened === undefined ? "" : addressOf(opened.socket)),
    tls: () => opened && tlsOf(opened.socket),
  };
}

/** Bytes go to the codec as soon as there is one: before that there are none. */
function negotiated(
  open: (onRead: OnRead) => ClientSocket,
  owner: ClientConnectionOwner,
  codec: (
    kind: "http1" | "http2",
    from: (onRead: OnRead) => ClientSocket,
    its: ClientConnectionOwner,
  ) => ClientConnection,
): ClientConnection {
  let read: OnRead = () => {};
  const opened = open((bytes, length) => read(bytes, length));
  return new AlpnConnection(opened, owner, (alpn, socket, its) =>
    codec(
      alpn === "h2" ? "http2" : "http1",
      (onRead) => {
        read = onRead;
        return socket;
      },
      its,
    ),
  );
}

const addressOf = ({ localAddress, localPort }: Socket): string =>
  localPort === undefined ? "" : `${localAddress}:${localPort}`;

/** Says what comes before all else on a connection. */
type Announce = ((socket: Socket) => void) | undefined;

interface TlsOpening {
  readonly protocol: UpstreamProtocol;
  readonly stats: ClusterStats;
  readonly tlsHost: string | undefined;
  readonly announce: Announce;
}

type OnRead = (bytes: Buffer, length: number) => void;
interface Target {
  host: string;
  port: number;
  noDelay: boolean;
  allowHalfOpen: boolean;
  localAddress: string | undefined;
}

/**
 * All plain connections read into the same buffer: what is read is parsed and passed on before the next read, and whoever keeps bytes copies them. That spares an
 * allocation of 64 KiB per read.
 */
function openPlain(target: Target, announce: Announce, onRead: OnRead): ClientSocket {
  const inProcess = dialInProcess(target.host, target.port);
  if (inProcess !== undefined) {
    inProcess.on("data", (bytes: Buffer) => onRead(bytes, bytes.length));
    if (announce !== undefined) inProcess.once("connect", () => announce(inProcess));
    return { socket: inProcess, ready: "connect", failure: (error) => error.message, endedUnheard: "" };
  }
  const socket = connect({
    ...target,
    onread: {
      buffer: readBuffer,
      callback: (length, bytes) => {
        onRead(bytes as Buffer, length);
        return true;
      },
    },
  });
  // Before whoever waits for the connection writes anything.
  if (announce !== undefined) socket.once("connect", () => announce(socket));
  return { socket, ready: "connect", failure: (error) => connectFailure(error, socket), endedUnheard: "" };
}

/** Decrypted bytes come in buffers of their own. */
function openTls(
  target: Target,
  tls: UpstreamTls,
  { protocol, stats, tlsHost, announce }: TlsOpening,
  onRead: OnRead,
): ClientSocket {
  const socket = connectTls(tls, target, stats.tls, { protocol, host: tlsHost, announce });
  socket.once("secureConnect", () => socket.on("data", (bytes: Buffer) => onRead(bytes, bytes.length)));
  return {
    socket,
    ready: "secureConnect",
    failure: (error) => connectFailure(error, socket),
    endedUnheard: turnedAway,
  };
}

const readBuffer = Buffer.allocUnsafeSlow(64 * 1024);
