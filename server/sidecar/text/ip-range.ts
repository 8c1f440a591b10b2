import { BlockList, isIP } from "node:net";
import type { CidrRange } from "../../gen/proto/envoy/config/core/v3/address_pb.js";

/** Whether an address is within any of the ranges. Throws an Error that names an address which is none. */
export function compileRanges(ranges: readonly CidrRange[], path = "cidr_ranges"): (address: string) => boolean {
  const list = new BlockList();
  for (const [index, { addressPrefix, prefixLen }] of ranges.entries()) {
    const place = ranges.length === 1 && path === "" ? "" : `${path}[${index}].`;
    const family = isIP(addressPrefix);
    if (family === 0) throw new Error(`${place}address_prefix: ${JSON.stringify(addressPrefix)} is no IP address`);
    const bits = prefixLen ?? 0;
    if (bits > (family === 4 ? 32 : 128)) throw new Error(`${place}prefix_len: ${bits} is too long`);
    list.addSubnet(addressPrefix, bits, family === 6 ? "ipv6" : "ipv4");
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
  };
}
