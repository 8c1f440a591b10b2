import { isIPv4, isIPv6 } from "node:net";
import type { Address, Proxied, Tlv } from "./addresses.ts";

// https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt

const signature = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");
/** Of version 1, with its end. */
const longestLine = 107;
const stream = 1;
const datagram = 2;

/** What the beginning of a connection is. */
export type ProxyHeader =
  | { readonly kind: "incomplete" }
  /** It has no header. */
  | { readonly kind: "none" }
  | { readonly kind: "bad"; readonly version: 1 | 2 }
  /** `proxied` undefined: whoever is in front speaks for itself. */
  | { readonly kind: "found"; readonly version: 1 | 2; readonly length: number; readonly proxied: Proxied | undefined };

export function readProxyHeader(bytes: Buffer): ProxyHeader {
  const head = Math.min(bytes.length, signature.length);
  if (bytes.subarray(0, head).equals(signature.subarray(0, head))) {
    // The line ends of version 2's signature are no beginning of anything else.
    return bytes.length < 16 ? { kind: "incomplete" } : readBinary(bytes);
  }
  const word = Math.min(bytes.length, 6);
  if (bytes.toString("latin1", 0, word) !== "PROXY ".slice(0, word)) return { kind: "none" };
  return readLine(bytes);
}

function readLine(bytes: Buffer): ProxyHeader {
  const end = bytes.subarray(0, longestLine).indexOf("\r\n");
  if (end === -1) return bytes.length >= longestLine ? { kind: "bad", version: 1 } : { kind: "incomplete" };
  const length = end + 2;
  const [, family, source = "", destination = "", sourcePort = "", destinationPort = "", ...rest] = bytes
    .toString("latin1", 0, end)
    .split(" ");
  if (family === "UNKNOWN") return { kind: "found", version: 1, length, proxied: undefined };
  const is = family === "TCP4" ? isIPv4 : family === "TCP6" ? isIPv6 : undefined;
  const from = portOf(sourcePort);
  const to = portOf(destinationPort);
  if (!is?.(source) || !is(destination) || from === undefined || to === undefined || rest.length > 0) {
    return { kind: "bad", version: 1 };
  }
  const proxied = {
    source: { address: source, port: from },
    destination: { address: destination, port: to },
    tlvs: [],
  };
  return { kind: "found", version: 1, length, proxied };
}

const portOf = (text: string): number | undefined =>
  /^\d{1,5}$/.test(text) && Number(text) <= 65_535 ? Number(text) : undefined;

function readBinary(bytes: Buffer): ProxyHeader {
  const version = (bytes[12] as number) >> 4;
  const command = (bytes[12] as number) & 15;
  if (version !== 2 || command > 1) return { kind: "bad", version: 2 };
  const length = 16 + bytes.readUInt16BE(14);
  if (bytes.length < length) return { kind: "incomplete" };
  const family = (bytes[13] as number) >> 4;
  const transport = (bytes[13] as number) & 15;
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  // A health check of whoever is in front, or a family that we have no addresses for.
  if (command === 0 || size === 0 || (transport !== stream && transport !== datagram)) {
    return { kind: "found", version: 2, length, proxied: undefined };
  }
  const ports = 16 + 2 * size;
  if (length < ports + 4) return { kind: "bad", version: 2 };
  const tlvs = readTlvs(bytes.subarray(ports + 4, length));
  if (tlvs === undefined) return { kind: "bad", version: 2 };
  const source = { address: addressText(bytes.subarray(16, 16 + size)), port: bytes.readUInt16BE(ports) };
  const destination = { address: addressText(bytes.subarray(16 + size, ports)), port: bytes.readUInt16BE(ports + 2) };
  return { kind: "found", version: 2, length, proxied: { source, destination, tlvs } };
}

function readTlvs(bytes: Buffer): Tlv[] | undefined {
  const tlvs: Tlv[] = [];
  for (let at = 0; at < bytes.length; ) {
    if (at + 3 > bytes.length) return undefined;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return undefined;
    tlvs.push({ type: bytes[at] as number, value: Buffer.from(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}

function addressText(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join(".");
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return shortest(groups);
}

/** RFC 5952: the longest run of zeros is left out. */
function shortest(groups: readonly string[]): string {
  const text = groups.join(":");
  const runs = [...text.matchAll(/(^|:)0(:0)+(?=:|$)/g)].map(([run]) => run).sort((a, b) => b.length - a.length);
  const [longest] = runs;
  if (longest === undefined) return text;
  return text
    .replace(longest, ":")
    .replace(/^:(?!:)/, "::")
    .replace(/(?<!:):$/, "::");
}

/** Undefined: whoever writes it speaks for itself. */
export function proxyLine(source: Address, destination: Address): Buffer {
  const v6 = isIPv6(source.address) || isIPv6(destination.address);
  const ends = [v6 ? mapped(source.address) : source.address, v6 ? mapped(destination.address) : destination.address];
  return Buffer.from(`PROXY TCP${v6 ? 6 : 4} ${ends.join(" ")} ${source.port} ${destination.port}\r\n`, "latin1");
}

/** An IPv4 address among IPv6 ones. */
const mapped = (address: string): string => (isIPv4(address) ? `::ffff:${address}` : address);

export function proxyBinary(proxied: Proxied | undefined): Buffer {
  if (proxied === undefined) return Buffer.concat([signature, Buffer.from([0x20, 0, 0, 0])]);
  const { source, destination, tlvs } = proxied;
  const v6 = isIPv6(source.address) || isIPv6(destination.address);
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(source.port, 0);
  ports.writeUInt16BE(destination.port, 2);
  const body = Buffer.concat([
    addressBytes(source.address, v6),
    addressBytes(destination.address, v6),
    ports,
    ...tlvs.map(tlvBytes),
  ]);
  const head = Buffer.from([0x21, v6 ? 0x21 : 0x11, body.length >> 8, body.length & 255]);
  return Buffer.concat([signature, head, body]);
}

function tlvBytes({ type, value }: Tlv): Buffer {
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 255]), value]);
}

function addressBytes(address: string, v6: boolean): Buffer {
  if (isIPv4(address)) {
    const four = Buffer.from(address.split(".").map(Number));
    return v6 ? Buffer.concat([Buffer.from("00000000000000000000ffff", "hex"), four]) : four;
  }
  const [before = "", after] = address.split("%")[0]?.split("::") ?? [];
  const left = groupsOf(before);
  const right = after === undefined ? [] : groupsOf(after);
  const zeros = Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => 0);
  const bytes = Buffer.alloc(16);
  for (const [i, group] of [...left, ...zeros, ...right].entries()) bytes.writeUInt16BE(group, 2 * i);
  return bytes;
}

/** The last may be written as IPv4: two groups. */
function groupsOf(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (!isIPv4(group)) return [Number.parseInt(group, 16)];
    const four = Buffer.from(group.split(".").map(Number));
    return [four.readUInt16BE(0), four.readUInt16BE(2)];
  });
}
