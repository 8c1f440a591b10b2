import type { Client } from "@libsql/client";
import type { Clock } from "../../lib/clock.ts";

/** How long a commit of another process may go unnoticed, in milliseconds. */
export const outsideWritesIntervalMs = 100;

export interface OutsideWritesOptions {
  /** A client of one connection. */
  client: Client;
  clock: Clock;
  /** Some other connection has written, or may have. */
  onWrite(): Promise<void>;
}

/**
 * Asks SQLite, as long as somebody wants to know, whether another connection has committed: `PRAGMA data_version` stays the same for a
 * connection's own writes, moves with everybody else's, and reads no page. SQLite tells nobody of a commit by itself.
 * https://www.sqlite.org/pragma.html#pragma_data_version
 */
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

  /** While this process writes, its one connection is taken and the question fails: it is asked again. */
  async #look(): Promise<void> {
    try {
      const { rows } = await this.#options.client.execute("PRAGMA data_version");
      const version = rows[0]?.data_version;
      if (version === this.#version) return;
      await this.#options.onWrite();
      this.#version = version;
    } catch {
      // the next look finds what this one missed
    }
  }
}
