import { createWriteStream, renameSync, statSync, type WriteStream } from "node:fs";

const maxLogBytes = 10_000_000;

/** Appends to a file and starts over when it is large, keeping one predecessor, so that logs never fill a disk. Never throws: a log is not worth an end. */
export class RotatingLog {
  private readonly path: string;
  private stream: WriteStream;
  private size: number;

  constructor(path: string) {
    this.path = path;
    this.size = sizeOf(path);
    this.stream = this.open();
  }

  write(chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > maxLogBytes) this.rotate();
    // Deleted, or on a disk that was full: a stream that has failed takes nothing any more.
    if (this.stream.destroyed) this.stream = this.open();
    this.stream.write(chunk);
  }

  close(): void {
    this.stream.end();
  }

  private rotate(): void {
    this.stream.end();
    try {
      renameSync(this.path, `${this.path}.1`);
      this.size = 0;
    } catch {
      this.size = sizeOf(this.path); // it was deleted meanwhile
    }
    this.stream = this.open();
  }

  private open(): WriteStream {
    return createWriteStream(this.path, { flags: "a", mode: 0o600 }).on("error", () => {});
  }
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
