/** What a session's cookie holds: the message `{ string address = 1; uint64 expires = 2; }` that Envoy writes there, in base64. */
export interface SessionCookie {
  readonly address: string;
  /** Unix seconds; 0: it does not say. */
  readonly expires: number;
}

export function encodeSession({ address, expires }: SessionCookie): string {
  const bytes = [...field(1, Buffer.from(address, "latin1"))];
  if (expires > 0) bytes.push((2 << 3) | 0, ...varint(expires));
  return Buffer.from(bytes).toString("base64");
}

/** Undefined: it is none. Older Envoys wrote the address alone. */
export function decodeSession(text: string): SessionCookie | undefined {
  if (text === "" || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  const bytes = Buffer.from(text, "base64");
  return readMessage(bytes) ?? { address: bytes.toString("latin1"), expires: 0 };
}

function field(number: number, bytes: Buffer): number[] {
  return [(number << 3) | 2, ...varint(bytes.length), ...bytes];
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  for (; rest >= 0x80; rest = Math.floor(rest / 0x80)) bytes.push((rest % 0x80) | 0x80);
  return [...bytes, rest];
}

/** Undefined: these bytes are no message of the kind. */
function readMessage(bytes: Buffer): SessionCookie | undefined {
  let at = 0;
  let address = "";
  let expires = 0;
  const number = (): number | undefined => {
    let value = 0;
    for (let factor = 1; at < bytes.length && factor < 2 ** 64; factor *= 0x80) {
      const byte = bytes[at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const tag = number();
    const value = number();
    if (value === undefined) return undefined;
    if (tag === ((1 << 3) | 2)) {
      if (at + value > bytes.length) return undefined;
      address = bytes.toString("latin1", at, at + value);
      at += value;
    } else if (tag === 2 << 3) expires = value;
    else return undefined;
  }
  return { address, expires };
}
