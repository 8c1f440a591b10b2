import { BlockList, isIP } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FilterChainMatchSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { L4Chain, L4Rule } from "./l4-chains.ts";
import { mutualTlsMatch } from "./mutual-tls.ts";

/**
 * The chains of a listener bound to an address, of rules in their order. Which rules' subnets hold is known here, where nothing is
 * intercepted, and must be: Envoy would never look at a chain without an address once another had one that matched. Nor does it take
 * two chains for one connection, or a wildcard inside a label: what an earlier rule has is taken out of a later one.
 */
export function chainsAt(rules: readonly L4Rule[], address: string): L4Chain[] {
  const taken = new Set<string>();
  const chains: L4Chain[] = [];
  for (const { subnets, ...chain } of rules) {
    if (subnets.length > 0 && !subnets.some((subnet) => contains(subnet, address))) continue;
    const named = chain.sniHosts.length > 0;
    const names = named ? [...new Set(chain.sniHosts.filter(isMatchable))] : [""];
    const free = names.filter((name) => !taken.has(name));
    if (free.length === 0) continue;
    for (const name of free) taken.add(name);
    chains.push({ ...chain, sniHosts: named ? free : [] });
  }
  return chains;
}

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch */
export function chainMatch({
  sniHosts,
  isMutualTls,
}: Pick<L4Chain, "sniHosts" | "isMutualTls">): MessageInitShape<typeof FilterChainMatchSchema> | undefined {
  if (sniHosts.length === 0) return undefined;
  // Any server name, and none, as long as it is TLS.
  if (sniHosts.includes("*")) return { transportProtocol: "tls" };
  const serverNames = [...sniHosts].sort();
  return isMutualTls ? { ...mutualTlsMatch, serverNames } : { serverNames };
}

export const isMatchable = (sni: string): boolean => sni === "*" || !sni.startsWith("*") || sni.startsWith("*.");

function contains(subnet: string, address: string): boolean {
  const [network = "", bits] = subnet.split("/");
  const family = isIP(network) === 6 ? "ipv6" : "ipv4";
  if (isIP(address) !== isIP(network)) return false;
  const list = new BlockList();
  list.addSubnet(network, bits === undefined ? (family === "ipv6" ? 128 : 32) : Number(bits), family);
  return list.check(address, family);
}
