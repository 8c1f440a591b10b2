import { ChannelListener } from "../../postgres/listener.ts";

const channel = "limpid_kept_traces";
/** A notice has 8,000 bytes at the most. https://www.postgresql.org/docs/current/sql-notify.html */
const mostInNotice = 240;
/** Past it they are not told: a database that is away hears nothing anyway. */
const maxWaiting = 20_000;
const traceId = /^[0-9a-f]{32}$/;

/** Which traces the collectors of one database keep, told to each other by NOTIFY. What is not heard is not asked for again: samples are all that depends on it. */
export class KeptTraces {
  readonly #listener: ChannelListener;
  #waiting: string[] = [];
  #sending = false;

  /** `onTold`: what this collector told is among it. */
  constructor(url: string, onTold: (traceIds: readonly string[]) => void) {
    const onNotice = (text: string) => onTold(text.split(",").filter((id) => traceId.test(id)));
    this.#listener = new ChannelListener({ url, channel, onNotice });
    this.#listener.startInTime();
  }

  tell(traceIds: readonly string[]): void {
    this.#waiting.push(...traceIds.slice(0, maxWaiting - this.#waiting.length));
    if (!this.#sending) void this.#send();
  }

  close(): Promise<void> {
    this.#waiting = [];
    return this.#listener.close();
  }

  async #send(): Promise<void> {
    this.#sending = true;
    while (this.#waiting.length > 0) {
      const some = this.#waiting.splice(0, mostInNotice);
      await this.#listener.say(some.join(",")).catch(() => undefined);
    }
    this.#sending = false;
  }
}
