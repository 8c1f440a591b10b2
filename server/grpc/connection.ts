import type { Socket } from "node:net";
import { TLSSocket } from "node:tls";
import type { Http2Context } from "../http2/connection.ts";
import type { StreamRequestHead } from "../http2/messages.ts";
import { Http2ServerConnection, type Http2ServerHost, ServerStream } from "../http2/server-connection.ts";
import type { ServerCall } from "../lib/grpc.ts";
import type { Authenticate } from "./guarded-tls.ts";

/** A client's connection, and who it is. */
export class GrpcConnection extends Http2ServerConnection<GrpcStream> {
  /** `address:port` */
  readonly peerName: string;
  /** Asked of whoever has shown no certificate. */
  readonly authenticate: Authenticate | undefined;
  #authContext: ReturnType<ServerCall["getAuthContext"]> | undefined = undefined;

  constructor(
    socket: Socket,
    context: Http2Context,
    host: Http2ServerHost<GrpcStream>,
    authenticate: Authenticate | undefined,
  ) {
    super(socket, context, host);
    this.peerName = `${socket.remoteAddress}:${socket.remotePort}`;
    this.authenticate = authenticate;
  }

  get authContext(): ReturnType<ServerCall["getAuthContext"]> {
    this.#authContext ??= authContextOf(this.socket);
    return this.#authContext;
  }

  protected newStream(id: number, head: StreamRequestHead): GrpcStream {
    return new GrpcStream(this, id, head);
  }
}

/** One call, as the codec sees it. */
export class GrpcStream extends ServerStream<GrpcConnection> {}

function authContextOf(socket: Socket): ReturnType<ServerCall["getAuthContext"]> {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return {};
  const certificate = socket.getPeerCertificate();
  return { transportSecurityType: "ssl", ...(certificate.raw && { sslPeerCertificate: certificate }) };
}
