import type { Socket } from "node:net";
import { WheelTimer } from "../../lib/timer-wheel.ts";
import type { Timers } from "../../lib/timers.ts";
import { type NetworkConnection, type NetworkFilter, type Refusal, Undecided } from "../network/network-filter.ts";
import type { Accepted } from "./accepted.ts";

/** A connection on its way through the filters before the one that serves it. Nothing of it is read meanwhile. */
export class Admission implements Accepted {
  readonly requestedAt = 0;
  draining = false;
  private readonly socket: Socket;
  private readonly filters: readonly NetworkFilter[];
  private readonly connection: NetworkConnection;
  private readonly timers: Timers;
  private readonly done: (refusal: Refusal | undefined) => void;
  private readonly timer = new WheelTimer(() => this.finish(this.refusal));
  private refusal: Refusal | undefined = undefined;
  private cancel: (() => void) | undefined = undefined;
  private over = false;

  /** @param done called once; when the connection is gone meanwhile, with `gone` */
  constructor(
    socket: Socket,
    filters: readonly NetworkFilter[],
    connection: NetworkConnection,
    timers: Timers,
    done: (refusal: Refusal | undefined) => void,
  ) {
    this.socket = socket;
    this.filters = filters;
    this.connection = connection;
    this.timers = timers;
    this.done = done;
  }

  start(): void {
    this.socket.on("error", ignore);
    this.socket.once("close", this.onClose);
    this.goOn(0);
  }

  /** Whether it still waits for somebody. */
  get waits(): boolean {
    return !this.over;
  }

  closeIdle(): void {}

  drain(): void {
    this.draining = true;
  }

  destroy(): void {
    this.socket.destroy();
  }

  private goOn(from: number): void {
    for (let i = from; i < this.filters.length; i++) {
      const judged = this.filters[i]?.accept(this.connection);
      if (judged instanceof Undecided) {
        this.wait(judged, i + 1);
        return;
      }
      if (judged !== undefined) {
        this.refuse(judged);
        return;
      }
    }
    this.finish(undefined);
  }

  private wait(judged: Undecided, next: number): void {
    let answered = false;
    const cancel = judged.ask((refusal) => {
      answered = true;
      this.cancel = undefined;
      if (this.over) return;
      if (refusal === undefined) this.goOn(next);
      else this.refuse(refusal);
    });
    if (!answered) this.cancel = cancel;
  }

  private refuse(refusal: Refusal): void {
    this.refusal = refusal;
    if (refusal.delayMs > 0) this.timers.arm(this.timer, refusal.delayMs);
    else this.finish(refusal);
  }

  private readonly onClose = (): void => {
    this.cancel?.();
    this.finish(this.refusal ?? gone);
  };

  private finish(refusal: Refusal | undefined): void {
    if (this.over) return;
    this.over = true;
    this.timer.cancel();
    this.socket.off("close", this.onClose);
    this.done(refusal);
  }
}

/** The client left before it was decided. */
const gone: Refusal = { details: "downstream_remote_disconnect", flags: 0, delayMs: 0 };

const ignore = (): void => {};
