import { tokenChars, valueChars } from "../../lib/http-chars.ts";

/** What a field name means for HTTP/2: told once per name, and kept with it in the dynamic table. */
export const FieldKind = {
  regular: 0,
  method: 1,
  scheme: 2,
  authority: 3,
  path: 4,
  status: 5,
  protocol: 6,
  /** Starts with a colon, or has characters that no name may have: upper case among them (RFC 9113, 8.2.1). */
  invalid: 7,
  /** RFC 9113, 8.2.2: belongs to HTTP/1's connection. */
  connectionSpecific: 8,
  te: 9,
  host: 10,
  contentLength: 11,
  cookie: 12,
} as const;

/** Set beside the kind when the value has characters that no value may have. */
export const invalidValue = 0x100;
export const kindMask = 0xff;

const special = new Map<string, number>([
  [":method", FieldKind.method],
  [":scheme", FieldKind.scheme],
  [":authority", FieldKind.authority],
  [":path", FieldKind.path],
  [":status", FieldKind.status],
  [":protocol", FieldKind.protocol],
  ["connection", FieldKind.connectionSpecific],
  ["keep-alive", FieldKind.connectionSpecific],
  ["proxy-connection", FieldKind.connectionSpecific],
  ["transfer-encoding", FieldKind.connectionSpecific],
  ["upgrade", FieldKind.connectionSpecific],
  ["te", FieldKind.te],
  ["host", FieldKind.host],
  ["content-length", FieldKind.contentLength],
  ["cookie", FieldKind.cookie],
]);

export function kindOfName(name: string): number {
  const kind = special.get(name);
  if (kind !== undefined) return kind;
  if (name.length === 0) return FieldKind.invalid;
  for (let i = 0; i < name.length; i++) if (tokenChars[name.charCodeAt(i)] !== 1) return FieldKind.invalid;
  return FieldKind.regular;
}

export function kindOfValue(bytes: Uint8Array, start: number, end: number): number {
  for (let i = start; i < end; i++) if (valueChars[bytes[i] as number] !== 1) return invalidValue;
  return 0;
}
