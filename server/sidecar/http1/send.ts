import type { Socket } from "node:net";

/**
 * Writes a head (or framing) and body bytes as one packet where they are small. A short latin1 string goes to the kernel from the stack, without a Buffer
 * and without keeping `bytes`; longer bodies are copied once, because the caller's buffer is re-used for the next read.
 * @returns false when the socket's buffer is full
 */
export function sendMessage(
  socket: Socket,
  head: string,
  bytes: Buffer | undefined,
  start: number,
  end: number,
): boolean {
  const length = end - start;
  if (bytes === undefined || length === 0) return socket.write(head, "latin1");
  if (head.length + length <= maxStackWrite) return socket.write(head + bytes.toString("latin1", start, end), "latin1");
  const copy = Buffer.allocUnsafe(length);
  bytes.copy(copy, 0, start, end);
  if (head === "") return socket.write(copy);
  socket.cork();
  socket.write(head, "latin1");
  const ok = socket.write(copy);
  socket.uncork();
  return ok;
}

/** Node writes strings up to this size without allocating. */
const maxStackWrite = 16 * 1024;
