/** The base64 forms of `application/grpc-web-text`. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md */

/** Decodes a request's body in whole quads, however it is cut. */
export class TextDecoder {
  private rest = "";

  /** @returns undefined: it is no base64 */
  feed(data: Buffer): Buffer | undefined {
    const text = this.rest + data.toString("latin1");
    const end = text.length - (text.length % 4);
    this.rest = text.slice(end);
    const quads = text.slice(0, end);
    return base64.test(quads) ? Buffer.from(quads, "base64") : undefined;
  }

  /** Whether nothing is left over. */
  get whole(): boolean {
    return this.rest === "";
  }
}

const base64 = /^[A-Za-z0-9+/]*={0,2}$/;

/**
 * Encodes a response's body message by message: each is padded for itself, so that a client may decode what has come. A message need not be whole to go on;
 * what makes no triple waits for the next bytes of it.
 */
export class TextEncoder {
  private readonly header = Buffer.alloc(5);
  private headerBytes = 0;
  private left = 0;
  private rest: Buffer = none;

  feed(data: Buffer): Buffer {
    const out: string[] = [];
    for (let at = 0; at < data.length; ) {
      if (this.headerBytes < this.header.length) {
        this.header[this.headerBytes++] = data[at++] as number;
        if (this.headerBytes < this.header.length) continue;
        this.left = this.header.readUInt32BE(1);
        this.rest = Buffer.from(this.header);
      } else {
        const end = Math.min(data.length, at + this.left);
        this.rest = Buffer.concat([this.rest, data.subarray(at, end)]);
        this.left -= end - at;
        at = end;
      }
      out.push(this.take());
    }
    return Buffer.from(out.join(""), "latin1");
  }

  private take(): string {
    const { rest } = this;
    const end = this.left === 0 ? rest.length : rest.length - (rest.length % 3);
    this.rest = Buffer.from(rest.subarray(end));
    if (this.left === 0) this.headerBytes = 0;
    return rest.toString("base64", 0, end);
  }
}

const none = Buffer.alloc(0);
