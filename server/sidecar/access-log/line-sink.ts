import { createWriteStream } from "node:fs";
import type { Writable } from "node:stream";
import type { Counter, Stats } from "../stats.ts";

/** Most that may wait for a slow disk or terminal before lines are dropped and counted. */
const maxBufferedBytes = 1_048_576;

/** Where text access logs go: lines are gathered for a moment and written together; a full buffer sheds instead of blocking. */
export class LineSink {
  readonly #stream: Writable;
  readonly #owned: boolean;
  readonly #dropped: Counter;
  #pending = "";
  #scheduled = false;

  constructor(target: "stdout" | "stderr" | { path: string }, stats: Stats) {
    this.#dropped = stats.counter("access_logs.file_access_log.logs_dropped");
    this.#owned = typeof target === "object";
    this.#stream = typeof target === "object" ? createWriteStream(target.path, { flags: "a" }) : process[target];
    if (this.#owned) this.#stream.on("error", () => this.#dropped.inc());
  }

  write(line: string): void {
    if (this.#pending.length + this.#stream.writableLength > maxBufferedBytes || this.#stream.destroyed) {
      this.#dropped.inc();
      return;
    }
    this.#pending += line;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.#flush());
  }

  async close(): Promise<void> {
    this.#flush();
    if (this.#owned && !this.#stream.destroyed) await new Promise<void>((resolve) => this.#stream.end(() => resolve()));
  }

  #flush(): void {
    this.#scheduled = false;
    if (this.#pending === "") return;
    this.#stream.write(this.#pending);
    this.#pending = "";
  }
}
