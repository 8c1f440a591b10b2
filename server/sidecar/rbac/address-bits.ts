import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { CidrRange } from "../../gen/proto/envoy/config/core/v3/address_pb.js";

/** An address as a text of its bits, so that a range of addresses is what they begin with. "": it is none. */
export function addressBits(address: string): string {
  const version = isIP(address);
  if (version === 0) return "";
  if (version === 4) return address.split(".").reduce((bits, part) => bits + (octets[Number(part)] ?? ""), "ipv4");
  // An IPv4 address in IPv6's form is the same address.
  const parsed = ipaddr.process(address);
  let bits: string = parsed.kind();
  for (const byte of parsed.toByteArray()) bits += octets[byte] ?? "";
  return bits;
}

/** Undefined: addresses of both kinds may be in it. */
export function rangeBits({ addressPrefix, prefixLen }: CidrRange): string | undefined {
  const bits = addressBits(addressPrefix);
  const length = prefixLen ?? 0;
  const mapped = isIP(addressPrefix) === 6 && bits.startsWith("ipv4");
  if (mapped || (bits.startsWith("ipv6") && mappedAddresses.startsWith(bits.slice(0, kindLength + length)))) {
    return undefined;
  }
  return bits.slice(0, kindLength + length);
}

const kindLength = "ipv4".length;
const octets = Array.from({ length: 256 }, (_, byte) => byte.toString(2).padStart(8, "0"));
/** `::ffff:0:0/96` */
const mappedAddresses = `ipv6${"0".repeat(80)}${"1".repeat(16)}`;
