import type { MessageInitShape } from "@bufbuild/protobuf";
import type { FilterChainMatchSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import type { L4Chain } from "./l4-chains.ts";

/**
 * Envoy refuses a listener in which two chains would take the same connection, and server names of which a part of a label is a
 * wildcard: what an earlier chain has is taken out of a later one, and a chain of which nothing is left goes.
 */
export function withoutOverlaps(chains: readonly L4Chain[]): L4Chain[] {
  const taken = new Set<string>();
  const kept: L4Chain[] = [];
  for (const chain of chains) {
    const isFree = (subnet: string, sni: string) => !taken.has(`${subnet} ${sni}`);
    const subnets = chain.subnets.length > 0 ? chain.subnets : [""];
    const named = chain.sniHosts.length > 0;
    const names = named ? [...new Set(chain.sniHosts.filter(isMatchable))] : [""];
    const freeNames = names.filter((sni) => subnets.some((subnet) => isFree(subnet, sni)));
    const freeSubnets = subnets.filter((subnet) => freeNames.every((sni) => isFree(subnet, sni)));
    if (freeNames.length === 0 || freeSubnets.length === 0) continue;
    for (const subnet of freeSubnets) for (const sni of freeNames) taken.add(`${subnet} ${sni}`);
    kept.push({ ...chain, sniHosts: named ? freeNames : [], subnets: chain.subnets.length > 0 ? freeSubnets : [] });
  }
  return kept;
}

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch */
export function chainMatch({
  sniHosts,
  subnets,
}: L4Chain): MessageInitShape<typeof FilterChainMatchSchema> | undefined {
  if (sniHosts.length === 0 && subnets.length === 0) return undefined;
  // Any server name, and none, as long as it is TLS.
  const anyName = sniHosts.includes("*");
  return {
    ...(sniHosts.length > 0 && (anyName ? { transportProtocol: "tls" } : { serverNames: [...sniHosts].sort() })),
    prefixRanges: subnets.map(cidrRange),
  };
}

const isMatchable = (sni: string): boolean => sni === "*" || !sni.startsWith("*") || sni.startsWith("*.");

function cidrRange(subnet: string): { addressPrefix: string; prefixLen: number } {
  const [addressPrefix = "", bits] = subnet.split("/");
  return { addressPrefix, prefixLen: bits === undefined ? (addressPrefix.includes(":") ? 128 : 32) : Number(bits) };
}
