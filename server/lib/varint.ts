/** Bytes and how far they are read; used again and again, so that reading millions of numbers makes no garbage. */
export class VarintSource {
  bytes: Uint8Array = new Uint8Array();
  at = 0;
  end = 0;

  reset(bytes: Uint8Array, start = 0, end = bytes.length): void {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
  }
}

/**
 * `value`: an integer from 0 to `Number.MAX_SAFE_INTEGER`, as which a larger one is written: a sum of what senders made up must not make bytes that nobody can
 * read. https://protobuf.dev/programming-guides/encoding/#varints
 */
export function writeVarint(out: number[], value: number): void {
  let rest = value <= Number.MAX_SAFE_INTEGER ? value : Number.MAX_SAFE_INTEGER;
  while (rest >= 128) {
    out.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  out.push(rest);
}

/** Throws RangeError at the end of the source, and for a number that is too large to be exact. */
export function readVarint(source: VarintSource): number {
  const { bytes, end } = source;
  let value = 0;
  for (let scale = 1; ; scale *= 128) {
    if (source.at >= end || scale > Number.MAX_SAFE_INTEGER) throw new RangeError("a number is cut off or too large");
    const byte = bytes[source.at++] as number;
    value += (byte & 127) * scale;
    if (byte < 128) return value;
  }
}
