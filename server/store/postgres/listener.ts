import { Client } from "pg";
import { Backoff } from "../../lib/backoff.ts";

export const channel = "limpid_config";

export interface ListenerOptions {
  url: string;
  /** Some process has committed, or may have. */
  onCommit(): void;
}

/** Hears of every commit at once, by LISTEN, on a connection of its own; comes back when it breaks, and then looks for itself. */
export class CommitListener {
  readonly #options: ListenerOptions;
  readonly #backoff = new Backoff({ baseMs: 100, maxMs: 5_000 });
  #client: Client | undefined;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: ListenerOptions) {
    this.#options = options;
  }

  /** Rejects when the first connection can't be made. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const client = new Client({ connectionString: this.#options.url, keepAlive: true });
    client.on("notification", () => this.#options.onCommit());
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    this.#client = client;
    await client.connect();
    await client.query(`LISTEN ${channel}`);
    this.#backoff.reset();
    this.#options.onCommit(); // what was missed meanwhile
  }

  #lost(client: Client): void {
    if (this.#closed || client !== this.#client) return;
    this.#client = undefined;
    void client.end().catch(() => undefined);
    this.#timer = setTimeout(() => {
      void this.#connect().catch(() => {
        if (this.#client) this.#lost(this.#client);
      });
    }, this.#backoff.next());
  }
}
