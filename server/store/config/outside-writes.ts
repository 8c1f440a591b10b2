import type { Clock } from "../../lib/clock.ts";
import type { DataVersion } from "./data-version.ts";

/** How long a commit of another process may go unnoticed, in milliseconds. */
export const outsideWritesIntervalMs = 100;

export interface OutsideWritesOptions {
  version: DataVersion;
  clock: Clock;
  /** Some other connection has written, or may have. */
  onWrite(): Promise<void>;
  /** Before each look. */
  onLook?(): Promise<void>;
}

/** Asks, as long as somebody wants to know, whether another connection has committed: SQLite tells nobody by itself. */
export class OutsideWrites {
  readonly #options: OutsideWritesOptions;
  #users = 0;
  #timer: { cancel(): void } | undefined;
  #version: unknown;
  #looking = false;

  constructor(options: OutsideWritesOptions) {
    this.#options = options;
  }

  /** Looks until the returned function is called, and for as long as any other user's isn't. */
  observe(): () => void {
    this.#users++;
    this.#schedule();
    let over = false;
    return () => {
      if (over) return;
      over = true;
      this.#users--;
      if (this.#users === 0) this.#stop();
    };
  }

  #schedule(): void {
    if (this.#users === 0 || this.#looking || this.#timer) return;
    this.#timer = this.#options.clock.setTimeout(() => {
      this.#timer = undefined;
      this.#looking = true;
      void this.#look().finally(() => {
        this.#looking = false;
        this.#schedule();
      });
    }, outsideWritesIntervalMs);
  }

  #stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    await this.#options.onLook?.().catch(() => undefined); // told to whoever writes
    const version = await this.#options.version.read();
    if (version === undefined || version === this.#version) return;
    try {
      await this.#options.onWrite();
      this.#version = version;
    } catch {
      // the next look finds what this one missed
    }
  }
}
