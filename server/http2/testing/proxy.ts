import type {
  DownstreamHandler,
  DownstreamStream,
  Fields,
  StreamRequestHead,
  StreamReset,
  StreamResponseHead,
  StreamServer,
  UpstreamHandler,
  UpstreamStream,
} from "../../sidecar/http/stream.ts";
import type { Http2ClientConnection } from "../../sidecar/http2/client-connection.ts";

/** The least that a proxy can be: every stream of a server connection goes on as one of a client connection. */
export const forwarding = (connection: () => Http2ClientConnection): StreamServer => ({
  onStream: (stream, head, end) => new Forward(stream, head, end, connection()),
});

class Forward implements DownstreamHandler {
  private readonly up: UpstreamStream;

  constructor(down: DownstreamStream, head: StreamRequestHead, end: boolean, connection: Http2ClientConnection) {
    this.up = connection.newStream(new Back(down, this));
    this.up.sendHead(head, end);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (!this.up.sendData(bytes, start, end)) this.down?.pause();
  }

  onEnd(trailers: Fields | undefined): void {
    this.up.sendEnd(trailers);
  }

  onReset(reason: StreamReset): void {
    this.up.reset(reason);
  }

  onDrain(): void {
    this.up.resume();
  }

  down: DownstreamStream | undefined = undefined;
  stop(): void {
    this.up.pause();
  }
}

class Back implements UpstreamHandler {
  private readonly down: DownstreamStream;
  private readonly forward: Forward;

  constructor(down: DownstreamStream, forward: Forward) {
    this.down = down;
    this.forward = forward;
    forward.down = down;
  }

  onInformational(status: number, headers: Fields): void {
    this.down.sendInformational(status, headers);
  }

  onHead(head: StreamResponseHead, end: boolean): void {
    this.down.sendHead(head, end);
  }

  onData(bytes: Buffer, start: number, end: number): void {
    if (!this.down.sendData(bytes, start, end)) this.forward.stop();
  }

  onEnd(trailers: Fields | undefined): void {
    this.down.sendEnd(trailers);
  }

  onReset(reason: StreamReset): void {
    this.down.reset(reason);
  }

  onDrain(): void {
    this.down.resume();
  }

  onReadComplete(): void {}
}
