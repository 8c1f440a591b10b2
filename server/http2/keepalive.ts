import { WheelTimer } from "../lib/timer-wheel.ts";
import type { KeepaliveOptions } from "./options.ts";

/** What keepalive does to its connection. */
interface KeptConnection {
  /** Eight bytes, to be sent as they are. */
  ping(payload: Buffer): void;
  /** The peer did not answer in time. */
  expired(): void;
}

/** Envoy's `connection_keepalive`: a PING every so often, and the end when no answer comes. Also lends its timer to the last wait of a closing connection. */
export class Keepalive {
  private readonly timers: { arm(timer: WheelTimer, ms: number): void };
  private readonly options: KeepaliveOptions | undefined;
  private readonly connection: KeptConnection;
  private timer: WheelTimer | undefined = undefined;
  private readonly payload = Buffer.alloc(8);
  private count = 0;
  private pending = false;

  constructor(
    context: { readonly timers: { arm(timer: WheelTimer, ms: number): void } },
    options: KeepaliveOptions | undefined,
    connection: KeptConnection,
  ) {
    this.timers = context.timers;
    this.options = options;
    this.connection = connection;
  }

  start(): void {
    const { options } = this;
    if (options === undefined || options.intervalMs === 0) return;
    this.arm(options.intervalMs * (1 + (Math.random() * options.jitterPercent) / 100));
  }

  /** A stream is opened on a connection that was last heard of `silentMs` ago. */
  beforeStream(silentMs: number): void {
    const { options } = this;
    if (options === undefined || options.idleIntervalMs === 0 || silentMs < options.idleIntervalMs) return;
    if (!this.pending) this.send();
  }

  /** @returns whether the answer was to this PING */
  onAck(bytes: Buffer, start: number): boolean {
    if (!this.pending || this.payload.compare(bytes, start, start + 8) !== 0) return false;
    this.pending = false;
    this.timer?.cancel();
    this.start();
    return true;
  }

  stop(): void {
    this.timer?.cancel();
    this.pending = false;
  }

  /** The timer that ends a close which the peer does not follow. */
  closeTimer(close: () => void): WheelTimer {
    this.timer = new WheelTimer(close);
    return this.timer;
  }

  private arm(ms: number): void {
    this.timer ??= new WheelTimer(() => this.onTimer());
    this.timers.arm(this.timer, ms);
  }

  private onTimer(): void {
    if (this.pending) this.connection.expired();
    else this.send();
  }

  private send(): void {
    this.pending = true;
    this.payload.write("limp", "latin1");
    this.payload.writeUInt32BE(++this.count % 0x100000000, 4);
    this.connection.ping(this.payload);
    this.arm(this.options?.timeoutMs ?? 0);
  }
}
