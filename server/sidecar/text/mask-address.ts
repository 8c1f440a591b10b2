import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

/** The network that an address is in, as `address/bits`. */
export function maskAddress(address: string, bits4: number, bits6: number): string {
  const bits = isIP(address) === 6 ? bits6 : bits4;
  const bytes = ipaddr.parse(address).toByteArray();
  const masked = bytes.map((byte, at) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - at * 8))) & 0xff);
  return `${ipaddr.fromByteArray(masked).toString()}/${bits}`;
}
