import { defaultMaxFrame } from "./frames.ts";
import type { Http2Stream } from "./stream.ts";

/** What a queue knows of its connection. */
interface Outlet {
  readonly sendWindow: number;
  readonly writer: { readonly congested: boolean };
}

/** Streams that wait for a window or for the socket. */
export class SendQueue {
  private waiting: Http2Stream[] = [];

  add(stream: Http2Stream): void {
    if (stream.listed) return;
    stream.listed = true;
    this.waiting.push(stream);
  }

  /** Lets the streams write, a frame each in turn, as far as windows and socket allow; then tells those that have nothing left. */
  write(outlet: Outlet): void {
    if (this.waiting.length === 0) return;
    const drained: Http2Stream[] = [];
    let progress = true;
    while (progress && !outlet.writer.congested && this.waiting.length > 0) progress = this.turn(outlet, drained);
    for (const stream of drained) {
      if (stream.closed || !stream.stalled) continue;
      stream.stalled = false;
      if (!stream.localEnded) stream.handler.onDrain();
    }
  }

  /** @returns whether anything was written */
  private turn(outlet: Outlet, drained: Http2Stream[]): boolean {
    const streams = this.waiting;
    const before = outlet.sendWindow;
    this.waiting = [];
    for (const stream of streams) {
      if (stream.closed) stream.listed = false;
      else if (stream.writeQueue(defaultMaxFrame)) {
        stream.listed = false;
        drained.push(stream);
      } else {
        this.waiting.push(stream);
      }
    }
    return outlet.sendWindow !== before;
  }
}
