import type { Socket } from "node:net";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Timers } from "../../lib/timers.ts";
import { type Hello, readClientHello } from "../tcp/client-hello.ts";
import type { InspectorOptions } from "./chain-table.ts";
import type { InspectorStats } from "./inspector-stats.ts";

type Found = Extract<Hello, { kind: "tls" | "not_tls" }>;

/**
 * Envoy's tls_inspector: reads a new connection's first bytes until they say whether it is TLS and for whom, then puts them back. What it
 * holds is bounded by the largest hello that is taken, and how long it waits by `listener_filters_timeout`.
 */
export class Inspection {
  private readonly socket: Socket;
  private readonly options: InspectorOptions;
  private readonly stats: InspectorStats;
  private readonly done: (found: Found | undefined) => void;
  private readonly timer: WheelTimer;
  private bytes: Buffer = Buffer.alloc(0);
  private over = false;

  /** @param done called once with what was found; undefined: the connection is gone, or to be closed */
  constructor(
    socket: Socket,
    options: InspectorOptions,
    timers: Timers,
    stats: InspectorStats,
    done: (found: Found | undefined) => void,
  ) {
    this.socket = socket;
    this.options = options;
    this.stats = stats;
    this.done = done;
    this.timer = new WheelTimer(() => this.onTimeout());
    socket.on("data", this.onData);
    socket.on("end", this.onEnd);
    socket.on("close", this.onEnd);
    socket.on("error", ignore);
    if (options.timeoutMs > 0) timers.arm(this.timer, options.timeoutMs);
  }

  readonly requestedAt = 0;

  drain(): void {}

  closeIdle(): void {}

  destroy(): void {
    this.finish(undefined);
    this.socket.destroy();
  }

  private readonly onData = (chunk: Buffer): void => {
    this.bytes = this.bytes.length === 0 ? chunk : Buffer.concat([this.bytes, chunk]);
    const hello = readClientHello(this.bytes);
    if (hello.kind === "incomplete") return;
    if (hello.kind === "too_large") {
      this.stats.tooLarge.inc();
      this.finish(undefined);
      return;
    }
    this.stats.count(hello);
    this.finish(hello);
  };

  private readonly onEnd = (): void => {
    this.stats.connectionClosed.inc();
    this.finish(undefined);
  };

  private onTimeout(): void {
    this.stats.timeout.inc();
    // A server that speaks first never gets its client to: without the timeout it would wait for ever.
    this.finish(this.options.continueOnTimeout ? { kind: "not_tls" } : undefined);
  }

  private finish(found: Found | undefined): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    const { socket, bytes } = this;
    socket.pause();
    socket.off("data", this.onData);
    socket.off("end", this.onEnd);
    socket.off("close", this.onEnd);
    socket.off("error", ignore);
    if (found !== undefined && bytes.length > 0) socket.unshift(bytes);
    this.bytes = Buffer.alloc(0);
    this.done(found);
  }
}

const ignore = (): void => {};
