import { kindOfName } from "./field-kind.ts";

/** RFC 7541, appendix A; the first has index 1. */
const fields = [
  [":authority", ""],
  [":method", "GET"],
  [":method", "POST"],
  [":path", "/"],
  [":path", "/index.html"],
  [":scheme", "http"],
  [":scheme", "https"],
  [":status", "200"],
  [":status", "204"],
  [":status", "206"],
  [":status", "304"],
  [":status", "400"],
  [":status", "404"],
  [":status", "500"],
  ["accept-charset", ""],
  ["accept-encoding", "gzip, deflate"],
  ["accept-language", ""],
  ["accept-ranges", ""],
  ["accept", ""],
  ["access-control-allow-origin", ""],
  ["age", ""],
  ["allow", ""],
  ["authorization", ""],
  ["cache-control", ""],
  ["content-disposition", ""],
  ["content-encoding", ""],
  ["content-language", ""],
  ["content-length", ""],
  ["content-location", ""],
  ["content-range", ""],
  ["content-type", ""],
  ["cookie", ""],
  ["date", ""],
  ["etag", ""],
  ["expect", ""],
  ["expires", ""],
  ["from", ""],
  ["host", ""],
  ["if-match", ""],
  ["if-modified-since", ""],
  ["if-none-match", ""],
  ["if-range", ""],
  ["if-unmodified-since", ""],
  ["last-modified", ""],
  ["link", ""],
  ["location", ""],
  ["max-forwards", ""],
  ["proxy-authenticate", ""],
  ["proxy-authorization", ""],
  ["range", ""],
  ["referer", ""],
  ["refresh", ""],
  ["retry-after", ""],
  ["server", ""],
  ["set-cookie", ""],
  ["strict-transport-security", ""],
  ["transfer-encoding", ""],
  ["user-agent", ""],
  ["vary", ""],
  ["via", ""],
  ["www-authenticate", ""],
] as const;

export const staticCount = fields.length;

/** By index; 0 is no field. */
export const staticNames: readonly string[] = ["", ...fields.map(([name]) => name)];
export const staticValues: readonly string[] = ["", ...fields.map(([, value]) => value)];
export const staticKinds: Uint16Array = Uint16Array.from(staticNames, (name) => kindOfName(name));

/** What the encoder knows of a name in the static table. */
export interface StaticName {
  /** Its first entry. */
  readonly index: number;
  /** Values that have an entry of their own. */
  readonly values: ReadonlyMap<string, number>;
}

export const staticNamesIndex: ReadonlyMap<string, StaticName> = indexNames();

function indexNames(): Map<string, StaticName> {
  const names = new Map<string, { index: number; values: Map<string, number> }>();
  for (let index = 1; index <= staticCount; index++) {
    const name = staticNames[index] as string;
    const value = staticValues[index] as string;
    const known = names.get(name) ?? { index, values: new Map() };
    names.set(name, known);
    if (value !== "") known.values.set(value, index);
  }
  return names;
}
