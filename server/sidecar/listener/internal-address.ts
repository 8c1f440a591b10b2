import { BlockList, isIP } from "node:net";
import type { HttpConnectionManager_InternalAddressConfig as InternalAddressConfig } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";

/**
 * Tells addresses that may set timeouts and retries by header from those that may not. Without a configuration none may, as in Envoy.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/headers#x-envoy-internal
 */
export function internalAddresses(config: InternalAddressConfig | undefined): (address: string) => boolean {
  const ranges = config?.cidrRanges ?? [];
  if (ranges.length === 0) return () => false;
  const list = new BlockList();
  for (const [index, { addressPrefix, prefixLen }] of ranges.entries()) {
    const family = isIP(addressPrefix);
    if (family === 0) throw new Error(`internal_address_config.cidr_ranges[${index}].address_prefix: no IP address`);
    list.addSubnet(addressPrefix, prefixLen ?? 0, family === 6 ? "ipv6" : "ipv4");
  }
  return (address) => {
    const family = isIP(address);
    return family !== 0 && list.check(address, family === 6 ? "ipv6" : "ipv4");
  };
}
