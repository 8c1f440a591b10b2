import type { Socket } from "node:net";
import type { TcpCheckConfig } from "./check-config.ts";
import { containsInOrder } from "./payload.ts";
import type { CheckResult, Prober } from "./session.ts";

/** What a peer may say before it is held against what is expected; what came first is forgotten. */
const mostBytes = 65_536;

export interface TcpCheckOptions {
  readonly config: TcpCheckConfig;
  readonly reuse: boolean;
  /** `ready` is the event after which it can be used. */
  open(): { socket: Socket; ready: string };
  done(result: CheckResult): void;
}

/** Connects, and compares what the host says with what it should. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/core/v3/health_check.proto#config-core-v3-healthcheck-tcphealthcheck */
export class TcpCheck implements Prober {
  private readonly options: TcpCheckOptions;
  private socket: Socket | undefined = undefined;
  private received: Buffer = Buffer.alloc(0);
  private asking = false;

  constructor(options: TcpCheckOptions) {
    this.options = options;
  }

  start(): void {
    this.asking = true;
    const { config } = this.options;
    if (this.socket !== undefined) {
      if (config.send.length > 0) this.socket.write(config.send);
      return;
    }
    const { socket, ready } = this.options.open();
    this.socket = socket;
    socket.once(ready, () => this.onReady(socket));
    socket.on("data", (bytes: Buffer) => this.onData(socket, bytes));
    socket.on("error", () => {});
    // The other half is of no use either.
    socket.on("end", () => socket.destroy());
    socket.on("close", () => this.onClose(socket));
  }

  abort(): void {
    this.asking = false;
    this.drop();
  }

  close(): void {
    this.abort();
  }

  private onReady(socket: Socket): void {
    if (socket !== this.socket) return;
    const { send, receive } = this.options.config;
    if (receive.length === 0) {
      this.drop();
      this.finish({ passed: true, degraded: false });
    } else if (send.length > 0) socket.write(send);
  }

  private onData(socket: Socket, bytes: Buffer): void {
    const { config, reuse } = this.options;
    if (socket !== this.socket || !this.asking) return;
    const all = this.received.length === 0 ? bytes : Buffer.concat([this.received, bytes]);
    this.received = all.length > mostBytes ? all.subarray(all.length - mostBytes) : all;
    if (!containsInOrder(this.received, config.receive)) return;
    this.received = Buffer.alloc(0);
    if (!reuse) this.drop();
    this.finish({ passed: true, degraded: false });
  }

  /** Also between two checks, a connection that breaks says that the host is not well. */
  private onClose(socket: Socket): void {
    if (socket !== this.socket) return;
    this.drop();
    this.asking = true;
    this.finish({ passed: false, failure: "network", retriable: false });
  }

  private finish(result: CheckResult): void {
    if (!this.asking) return;
    this.asking = false;
    this.options.done(result);
  }

  private drop(): void {
    const { socket } = this;
    this.socket = undefined;
    this.received = Buffer.alloc(0);
    socket?.destroy();
  }
}
