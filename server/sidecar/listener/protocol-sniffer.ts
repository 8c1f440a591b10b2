import type { Socket } from "node:net";
import { startsHttp2 } from "../../http2/preface.ts";
import { WheelTimer } from "../../lib/timer-wheel.ts";

/** How a connection is told apart: see {@link ProtocolSniffer}. */
export interface SnifferIo {
  readonly timers: { arm(timer: WheelTimer, ms: number): void };
  /** 0: without end. */
  readonly timeoutMs: number;
}

/**
 * Waits for a connection's first bytes where `codec_type` is AUTO and no protocol was negotiated: HTTP/2 with prior knowledge begins with a preface that no HTTP/1
 * request has (RFC 9113, 3.4).
 */
export class ProtocolSniffer {
  readonly requestedAt = 0;
  private readonly socket: Socket;
  private readonly done: (protocol: "http1" | "http2" | undefined, bytes: Buffer) => void;
  private readonly timer = new WheelTimer(() => this.finish(undefined));
  private bytes: Buffer = Buffer.alloc(0);
  private over = false;

  /** @param done called once, with what was read; undefined: the connection is gone */
  constructor(
    socket: Socket,
    { timers, timeoutMs }: SnifferIo,
    done: (protocol: "http1" | "http2" | undefined, bytes: Buffer) => void,
  ) {
    this.socket = socket;
    this.done = done;
    socket.on("data", this.onData);
    socket.on("end", this.onGone);
    socket.on("close", this.onGone);
    socket.on("error", ignore);
    if (timeoutMs > 0) timers.arm(this.timer, timeoutMs);
  }

  drain(): void {}

  /** A client that has not said a word has nothing to lose. */
  closeIdle(): void {
    if (this.bytes.length === 0) this.destroy();
  }

  destroy(): void {
    this.finish(undefined);
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    const http2 = startsHttp2(this.bytes, 0, this.bytes.length);
    if (http2 !== undefined) this.finish(http2 ? "http2" : "http1");
  };

  private readonly onGone = (): void => this.finish(this.bytes.length === 0 ? undefined : "http1");

  private finish(protocol: "http1" | "http2" | undefined): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    const { socket } = this;
    socket.off("data", this.onData);
    socket.off("end", this.onGone);
    socket.off("close", this.onGone);
    if (protocol === undefined) socket.destroy();
    this.done(protocol, this.bytes);
  }
}

const ignore = (): void => {};
