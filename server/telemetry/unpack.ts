import { promisify } from "node:util";
import { gunzip, inflate } from "node:zlib";
import { HttpError } from "./http-error.ts";

/**
 * A body as it was before it was packed. Names of encodings are case-insensitive (RFC 9110 §8.4.1). Throws {@link HttpError}: 400 not what it
 * says it is, 413 too large when unpacked, 415 another encoding.
 */
export async function unpack(body: Buffer, encoding: string | undefined, maxBytes: number): Promise<Buffer> {
  const name = encoding?.trim().toLowerCase() ?? "identity";
  if (name === "identity" || name === "") return body;
  const decode = decoders[name];
  if (decode === undefined) throw new HttpError(415, `content-encoding must be gzip, deflate or none, not ${encoding}`);
  try {
    return await decode(body, { maxOutputLength: maxBytes });
  } catch (error) {
    if (error instanceof RangeError) throw new HttpError(413, `the unpacked body is over ${maxBytes} bytes`);
    throw new HttpError(400, `the body is not ${name}`);
  }
}

const decoders: Record<string, (body: Buffer, options: { maxOutputLength: number }) => Promise<Buffer>> = {
  gzip: promisify(gunzip),
  "x-gzip": promisify(gunzip),
  deflate: promisify(inflate),
};
