import type { Clock } from "../lib/clock.ts";

export interface FlushScheduleOptions {
  clock: Clock;
  /** How long after a full second a tick is. */
  graceMs: number;
  /** Its work; says whether there is to be another tick. Never rejects. */
  onTick(): Promise<boolean>;
}

const everyMs = 1000;
/** The bundled proxies hold on to a connection for two minutes, others for less; below this what they held comes late, and whole. */
const stallMs = 60_000;

/** Ticks once a second while there is work, `graceMs` after a full one, so that each completes exactly one more second; and notices that it did not. */
export class FlushSchedule {
  readonly #options: FlushScheduleOptions;
  #timer: { cancel(): void } | undefined;
  #stopped = false;
  /** When it was last seen to be at work; what follows much later did not come for want of traffic alone. */
  #seenMs: number | undefined;
  #stalledFromMs: number | undefined;

  constructor(options: FlushScheduleOptions) {
    this.#options = options;
  }

  /** Frozen or starved since then for longer than connections bear: what was on its way went with them. */
  get stalledFromMs(): number | undefined {
    return this.#stalledFromMs;
  }

  /** Where it does not tick already. */
  start(): void {
    if (this.#stopped || this.#timer !== undefined) return;
    const { clock, graceMs, onTick } = this.#options;
    const now = clock.now();
    this.#seenMs ??= now;
    const waitMs = everyMs - ((((now - graceMs) % everyMs) + everyMs) % everyMs);
    this.#timer = clock.setTimeout(() => {
      void onTick().then((more) => {
        this.#timer = undefined;
        if (more) this.start();
        else this.#seenMs = undefined;
      });
    }, waitMs);
  }

  /** The work of a tick begins. */
  begin(): void {
    const now = this.#options.clock.now();
    if (this.#seenMs !== undefined && now - this.#seenMs > stallMs) this.#stalledFromMs = this.#seenMs;
    this.#seenMs = now;
  }

  /** That it stood still is written down. */
  told(): void {
    this.#stalledFromMs = undefined;
  }

  stop(): void {
    this.#stopped = true;
    this.#timer?.cancel();
  }
}
