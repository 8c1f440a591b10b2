import { promisify } from "node:util";
import { constants, gzip } from "node:zlib";

const pack = promisify(gzip);
/** Below it packing costs more than sending. */
const worthPacking = 4096;

export interface JsonAnswer {
  body: string | Buffer;
  encoding: "gzip" | undefined;
}

interface Written {
  text: string;
  packed: Promise<Buffer> | undefined;
}

/** An answer that several clients share is written, and packed, once. */
const written = new WeakMap<object, Written>();

/** `accepts`: the request's Accept-Encoding. */
export async function jsonAnswer(value: unknown, accepts: string | undefined): Promise<JsonAnswer> {
  const answer = write(value);
  if (answer.text.length < worthPacking || !acceptsGzip(accepts)) return { body: answer.text, encoding: undefined };
  answer.packed ??= pack(answer.text, { level: constants.Z_BEST_SPEED });
  return { body: await answer.packed, encoding: "gzip" };
}

/** Does beforehand what `jsonAnswer` needs of an answer that many will ask for at once. */
export async function prepareJson(value: object): Promise<void> {
  await jsonAnswer(value, "gzip");
}

function write(value: unknown): Written {
  const key = typeof value === "object" && value !== null ? value : undefined;
  const known = key && written.get(key);
  if (known !== undefined) return known;
  // `undefined` is no JSON; as an answer it is nothing.
  const fresh: Written = { text: JSON.stringify(value) ?? "null", packed: undefined };
  if (key !== undefined) written.set(key, fresh);
  return fresh;
}

/** RFC 9110 §12.5.3: named, and not with a weight of zero. */
const acceptsGzip = (accepts = ""): boolean =>
  accepts.split(",").some((coding) => /^\s*(?:gzip|\*)\s*(?:;(?!\s*q=0(?:\.0*)?\s*$).*)?$/i.test(coding));
