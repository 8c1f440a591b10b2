import type { Socket } from "node:net";
import type { Http2Context } from "../../http2/connection.ts";
import { Http2ServerConnection, type Http2ServerHost, ServerStream } from "../../http2/server-connection.ts";
import { addressesOf, type Proxied } from "../http/addresses.ts";
import type { DownstreamFacts, DownstreamStream, StreamRequestHead } from "../http/stream.ts";
import type { TlsConnection } from "../tls/tls-connection.ts";

/** A client's connection to the proxy, and what is known of it. */
export class DownstreamConnection extends Http2ServerConnection<DownstreamHttp2Stream> implements DownstreamFacts {
  readonly remoteAddress: string;
  readonly remotePort: number;
  readonly localAddress: string;
  readonly localPort: number;
  readonly proxied: Proxied | undefined;
  readonly tls: TlsConnection | undefined;

  constructor(
    socket: Socket,
    context: Http2Context,
    host: Http2ServerHost<DownstreamHttp2Stream>,
    tls?: TlsConnection,
  ) {
    super(socket, context, host);
    this.tls = tls;
    const { remoteAddress, remotePort, localAddress, localPort, proxied } = addressesOf(socket);
    this.remoteAddress = remoteAddress;
    this.remotePort = remotePort;
    this.localAddress = localAddress;
    this.localPort = localPort;
    this.proxied = proxied;
  }

  protected newStream(id: number, head: StreamRequestHead): DownstreamHttp2Stream {
    return new DownstreamHttp2Stream(this, id, head);
  }
}

/** One request to the proxy. */
export class DownstreamHttp2Stream extends ServerStream<DownstreamConnection> implements DownstreamStream {}
