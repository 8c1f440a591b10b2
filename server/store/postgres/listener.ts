import { Client } from "pg";
import { Backoff } from "../../lib/backoff.ts";

const connectTimeoutMs = 10_000;

export interface ListenerOptions {
  url: string;
  channel: string;
  /** Somebody said this, this process included. */
  onNotice(text: string): void;
  /** From here on all is heard; what was said before may not have been. */
  onConnected?: () => void;
}

/** Hears what others say on a channel at once, by LISTEN, on a connection of its own, and says something itself; comes back when it breaks. */
export class ChannelListener {
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

  /** As {@link start}, and tries again for as long as that fails. */
  startInTime(): void {
    void this.#connect().catch(() => {
      if (this.#client) this.#lost(this.#client);
    });
  }

  /** Rejects when it is not connected, or the connection breaks. */
  async say(text: string): Promise<void> {
    if (this.#client === undefined) throw new Error("not connected");
    await this.#client.query("SELECT pg_notify($1, $2)", [this.#options.channel, text]);
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#client?.end().catch(() => undefined);
  }

  async #connect(): Promise<void> {
    const { url, channel, onNotice, onConnected } = this.#options;
    const client = new Client({ connectionString: url, keepAlive: true, connectionTimeoutMillis: connectTimeoutMs });
    client.on("notification", ({ payload = "" }) => onNotice(payload));
    client.on("error", () => this.#lost(client));
    client.on("end", () => this.#lost(client));
    this.#client = client;
    await client.connect();
    await client.query(`LISTEN ${channel}`);
    this.#backoff.reset();
    onConnected?.();
  }

  #lost(client: Client): void {
    if (this.#closed || client !== this.#client) return;
    this.#client = undefined;
    void client.end().catch(() => undefined);
    this.#timer = setTimeout(() => this.startInTime(), this.#backoff.next());
  }
}
