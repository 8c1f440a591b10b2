import type { Clock } from "../lib/clock.ts";

/** One message on its way to a client. */
export interface GatedWrite {
  readonly bytes: number;
  /** Calls back when the client's connection has taken it. */
  write(done: () => void): void;
}

export interface WriteGateOptions {
  clock: Clock;
  /** On their way at a time, over all clients. Default 24 MiB. */
  maxBytes?: number;
  /** A client that has not taken its message in this time no longer holds anybody up. Default 1000 ms. */
  patienceMs?: number;
  /** What is smaller does not wait, unless something larger to the same client does. Default 64 KiB. */
  smallBytes?: number;
}

/**
 * Large messages to many clients go out some at a time: each is copied into its connection's buffer when it goes, so that two hundred clients that
 * want 4 MB each don't cost 800 MB. Order is kept for each client.
 */
export class WriteGate<Client extends object> {
  readonly #options: Required<WriteGateOptions>;
  readonly #waiting = new Map<Client, GatedWrite[]>();
  #bytes = 0;

  constructor(options: WriteGateOptions) {
    this.#options = { maxBytes: 24 << 20, patienceMs: 1_000, smallBytes: 64 << 10, ...options };
  }

  write(client: Client, message: GatedWrite): void {
    const { maxBytes, smallBytes } = this.#options;
    const before = this.#waiting.get(client);
    if (before) before.push(message);
    else if (message.bytes <= smallBytes || this.#bytes + message.bytes <= maxBytes || this.#bytes === 0) {
      this.#go(message);
    } else this.#waiting.set(client, [message]);
  }

  /** Forgets what waits for a client that has gone. */
  drop(client: Client): void {
    this.#waiting.delete(client);
  }

  #go(message: GatedWrite): void {
    const { clock, patienceMs, smallBytes } = this.#options;
    if (message.bytes <= smallBytes) {
      message.write(() => undefined);
      return;
    }
    this.#bytes += message.bytes;
    let counted = true;
    const release = () => {
      if (!counted) return;
      counted = false;
      timer.cancel();
      this.#bytes -= message.bytes;
      this.#letIn();
    };
    const timer = clock.setTimeout(release, patienceMs);
    message.write(release);
  }

  /** One message of each client in turn. */
  #letIn(): void {
    for (const [client, messages] of this.#waiting) {
      const [message] = messages;
      if (message && this.#bytes > 0 && this.#bytes + message.bytes > this.#options.maxBytes) return;
      this.#waiting.delete(client);
      messages.shift();
      if (messages.length > 0) this.#waiting.set(client, messages);
      if (message) this.#go(message);
    }
  }
}
