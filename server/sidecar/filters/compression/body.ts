import type { Counter } from "../../stats.ts";
import type { Library } from "./libraries.ts";
import type { SyncCodec } from "./sync-codec.ts";

export interface BodyStats {
  readonly compressedBytes: Counter;
  readonly uncompressedBytes: Counter;
}

/** A body on its way through a compressor. Every piece goes on at once, so that a stream of events stays one. */
export class Body {
  private readonly library: Library;
  private readonly stats: BodyStats;
  private readonly codec: SyncCodec;

  constructor(library: Library, stats: BodyStats) {
    this.library = library;
    this.stats = stats;
    this.codec = library.open();
  }

  push(data: Buffer): Buffer {
    return this.through(data, this.library.flush);
  }

  finish(): Buffer {
    return this.through(Buffer.alloc(0), this.library.finish);
  }

  close(): void {
    this.codec.close();
  }

  private through(data: Buffer, flush: number): Buffer {
    const made = this.codec.push(data, flush);
    this.stats.uncompressedBytes.inc(data.length);
    this.stats.compressedBytes.inc(made.length);
    return made;
  }
}
