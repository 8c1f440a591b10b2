import { Metadata } from "@grpc/grpc-js";
import type { Fields } from "../http2/messages.ts";

/** Fields of a request that are the transport's and no metadata. */
const transportFields = new Set([
  "accept-encoding",
  "content-type",
  "grpc-accept-encoding",
  "grpc-encoding",
  "grpc-timeout",
  "te",
]);

export function fieldOf(fields: Fields, name: string): string | undefined {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === name) return fields[i + 1];
  return undefined;
}

/** What a caller sent along. A field that no metadata may have is left out. */
export function metadataOf(fields: Fields): Metadata {
  const metadata = new Metadata();
  for (let i = 0; i < fields.length; i += 2) {
    const [name = "", value = ""] = [fields[i], fields[i + 1]];
    if (transportFields.has(name)) continue;
    try {
      // Binary values may be joined by commas. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md
      if (name.endsWith("-bin")) for (const each of value.split(",")) metadata.add(name, Buffer.from(each, "base64"));
      else metadata.add(name, value);
    } catch {}
  }
  return metadata;
}

export function fieldsOf(metadata: Metadata | null | undefined): Fields {
  if (!metadata) return [];
  return Object.entries(metadata.toHttp2Headers()).flatMap(([name, values]) =>
    [values ?? []].flat().flatMap((value) => [name, String(value)]),
  );
}

/** Percent-encoded UTF-8 but for printable ASCII. */
export function encodeDetails(details: string): string {
  if (/^[ -$&-~]*$/.test(details)) return details;
  let out = "";
  for (const byte of Buffer.from(details, "utf8")) {
    const isPlain = byte >= 0x20 && byte <= 0x7e && byte !== 0x25;
    out += isPlain ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

const unitMs: Record<string, number> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Milliseconds of a `grpc-timeout`; undefined: it is none. */
export function timeoutMs(text: string): number | undefined {
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(text) ?? [];
  return digits === undefined ? undefined : Number(digits) * (unitMs[unit] ?? 0);
}

/** `application/grpc`, alone or with a format or parameters behind it. */
export const isGrpc = (contentType: string | undefined): boolean =>
  /^application\/grpc(?:$|[+;])/.test(contentType ?? "");
