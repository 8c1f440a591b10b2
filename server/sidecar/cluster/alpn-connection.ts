import type {
  ClientConnection,
  ClientConnectionOwner,
  Protocol,
  UpstreamHandler,
  UpstreamStream,
} from "../http/stream.ts";
import type { ClientSocket } from "../http1/client-connection.ts";

/** Makes the codec that both sides have agreed on, over a socket that is about to be ready. */
export type CodecMaker = (alpn: string, socket: ClientSocket, owner: ClientConnectionOwner) => ClientConnection;

/**
 * A connection whose protocol the TLS handshake chooses: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/upstreams/http/v3/http_protocol_options.proto#extensions-upstreams-http-v3-httpprotocoloptions-autohttpconfig
 */
export class AlpnConnection implements ClientConnection, ClientConnectionOwner {
  private readonly owner: ClientConnectionOwner;
  private readonly opened: ClientSocket;
  private codec: ClientConnection | undefined = undefined;
  private failure = "";
  private closed = false;

  constructor(opened: ClientSocket, owner: ClientConnectionOwner, makeCodec: CodecMaker) {
    this.opened = opened;
    this.owner = owner;
    const { socket } = opened;
    // What was agreed on is known before Node has judged the certificate: the codec then waits for that as it always does.
    socket.prependOnceListener("secure", () => {
      this.codec = makeCodec((socket as { alpnProtocol?: string | false }).alpnProtocol || "", opened, this);
    });
    socket.on("error", (error) => {
      this.failure ||= opened.failure(error);
    });
    socket.on("close", () => {
      if (this.codec === undefined) this.end(this.failure || "closed");
    });
  }

  get protocol(): Protocol {
    return this.codec?.protocol ?? "HTTP/1.1";
  }

  get capacity(): number {
    return this.codec?.capacity ?? 0;
  }

  get active(): number {
    return this.codec?.active ?? 0;
  }

  newStream(handler: UpstreamHandler): UpstreamStream {
    if (this.codec === undefined) throw new Error("a stream on a connection without a protocol");
    return this.codec.newStream(handler);
  }

  drain(): void {
    if (this.codec === undefined) this.close("drained");
    else this.codec.drain();
  }

  close(reason: string): void {
    if (this.codec !== undefined) this.codec.close(reason);
    else {
      this.opened.socket.destroy();
      this.end(reason);
    }
  }

  onConnected(): void {
    this.owner.onConnected(this);
  }

  onCapacity(): void {
    this.owner.onCapacity(this);
  }

  onClosed(_: ClientConnection, reason: string, connected: boolean): void {
    this.closed = true;
    this.owner.onClosed(this, reason, connected);
  }

  private end(reason: string): void {
    if (this.closed) return;
    this.closed = true;
    this.owner.onClosed(this, reason, false);
  }
}
