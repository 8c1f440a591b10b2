import type { IncomingMessage } from "node:http";

/**
 * The whole body, in bytes as sent. Rejects with what `tooLarge` makes past the limit, as soon as that is known, and leaves the rest
 * unread; with the stream's error when the peer went away. By events, because an async iterator costs more than the body of a small message.
 */
export function readBody(message: IncomingMessage, maxBytes: number, tooLarge: () => Error): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    if (Number(message.headers["content-length"] ?? 0) > maxBytes) {
      reject(tooLarge());
      return;
    }
    const gone = () => new Error("the peer closed the connection within the body");
    if (message.destroyed) {
      reject(gone()); // no event will follow
      return;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    const onData = (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) {
        chunks.push(chunk);
        return;
      }
      message.off("data", onData);
      message.pause();
      reject(tooLarge());
    };
    message.on("data", onData);
    message.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    message.once("error", reject);
    message.once("close", () => {
      if (!message.complete) reject(gone());
    });
  });
}

/** The part of a Content-Type before its parameters, in lower case; empty when there is none. */
export const mediaType = (header: string | undefined): string =>
  (header ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
