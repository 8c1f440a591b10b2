import type { GrpcStream } from "./connection.ts";
import type { Parts } from "./method.ts";

const prefixBytes = 5;
/** Smaller parts are joined, so that they don't make a frame each. */
const pieceBytes = 16 << 10;

/** One message on a stream; what is large of it is not copied. @returns false: the stream has more than it takes at the moment */
export function sendMessage(stream: GrpcStream, parts: Parts): boolean {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const prefix = Buffer.alloc(prefixBytes);
  prefix.writeUInt32BE(length, 1);
  let small: Uint8Array[] = [prefix];
  let smallBytes = prefixBytes;
  let goes = true;
  const sendSmall = (): void => {
    if (smallBytes === 0) return;
    goes = stream.sendShared(Buffer.concat(small, smallBytes));
    small = [];
    smallBytes = 0;
  };
  for (const part of parts) {
    if (part.length >= pieceBytes) {
      sendSmall();
      goes = stream.sendShared(Buffer.from(part.buffer, part.byteOffset, part.length));
      continue;
    }
    small.push(part);
    smallBytes += part.length;
    if (smallBytes >= pieceBytes) sendSmall();
  }
  sendSmall();
  return goes;
}
