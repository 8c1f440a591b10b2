import { type FrameWriter, writeHeader } from "./frame-writer.ts";
import { defaultMaxFrame, Flag, FrameType, frameHeaderBytes } from "./frames.ts";
import type { HpackEncoder } from "./hpack/encoder.ts";

/** Writes field blocks: straight into a HEADERS frame where one holds it, and else by way of a buffer of its own, with CONTINUATION frames behind. */
export class BlockWriter {
  /** Where the next field goes. */
  position = 0;
  private readonly writer: FrameWriter;
  private readonly encoder: HpackEncoder;
  private start = 0;
  private large: Buffer | undefined = undefined;

  constructor(writer: FrameWriter, encoder: HpackEncoder) {
    this.writer = writer;
    this.encoder = encoder;
  }

  /** @returns where a block of at most `bound` bytes is to be written, from {@link position} */
  begin(bound: number): Buffer {
    if (bound <= defaultMaxFrame) {
      this.large = undefined;
      this.start = this.writer.reserve(frameHeaderBytes + bound);
      this.position = this.encoder.begin(this.writer.buffer, this.start + frameHeaderBytes);
      return this.writer.buffer;
    }
    this.large = Buffer.allocUnsafe(bound);
    this.position = this.encoder.begin(this.large, 0);
    return this.large;
  }

  /** The block is written up to `end`: makes frames of it. */
  end(streamId: number, end: number, endStream: boolean): void {
    const { large, start, writer } = this;
    const flags = endStream ? Flag.endStream : 0;
    if (large === undefined) {
      const length = end - start - frameHeaderBytes;
      writeHeader(writer.buffer, start, length, FrameType.headers, flags | Flag.endHeaders, streamId);
      writer.shrink(end);
      if (!endStream) writer.endable(streamId, start);
      return;
    }
    this.large = undefined;
    for (let at = 0; at < end; at += defaultMaxFrame) {
      const to = Math.min(at + defaultMaxFrame, end);
      const type = at === 0 ? FrameType.headers : FrameType.continuation;
      writer.payload(type, (at === 0 ? flags : 0) | (to === end ? Flag.endHeaders : 0), streamId, large, at, to);
    }
  }
}
