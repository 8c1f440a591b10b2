import { writeHeader } from "../frame-writer.ts";
import { frameHeaderBytes } from "../frames.ts";

/** One frame as bytes, valid or not. */
export function frame(type: number, flags: number, streamId: number, payload: Buffer | string = ""): Buffer {
  const body = typeof payload === "string" ? Buffer.from(payload, "hex") : payload;
  const bytes = Buffer.alloc(frameHeaderBytes + body.length);
  writeHeader(bytes, 0, body.length, type, flags, streamId);
  body.copy(bytes, frameHeaderBytes);
  return bytes;
}

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
};
