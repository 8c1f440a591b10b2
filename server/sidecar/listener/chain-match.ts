import { BlockList, isIP } from "node:net";
import type { FilterChainMatch } from "../../gen/proto/envoy/config/listener/v3/listener_components_pb.js";

/** What is known of a connection when its filter chain is chosen. */
export interface ConnectionFacts {
  readonly localAddress: string;
  readonly localPort: number;
  /** In lower case; empty without TLS, or without a name. */
  readonly serverName: string;
  readonly transportProtocol: "raw_buffer" | "tls";
  readonly applicationProtocols: readonly string[];
}

/** When a chain applies; what is empty applies to everything. */
export interface ChainMatch {
  /** 0: any. */
  readonly port: number;
  readonly prefixes: readonly Prefix[];
  /** `a.b.c`, or `*.b.c` for every name below. */
  readonly serverNames: readonly string[];
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
}

interface Prefix {
  readonly address: string;
  readonly bits: number;
}

/** Throws an Error naming the field. */
export function compileChainMatch(match: FilterChainMatch | undefined): ChainMatch {
  return {
    port: match?.destinationPort ?? 0,
    prefixes: (match?.prefixRanges ?? []).map(({ addressPrefix: address, prefixLen }, index) => {
      const family = isIP(address);
      const bits = prefixLen ?? 0;
      if (family === 0)
        throw new Error(`prefix_ranges[${index}].address_prefix: ${JSON.stringify(address)} is no IP address`);
      if (bits > (family === 4 ? 32 : 128)) throw new Error(`prefix_ranges[${index}].prefix_len: ${bits} is too long`);
      return { address, bits };
    }),
    serverNames: (match?.serverNames ?? []).map((name, index) => {
      const star = name.indexOf("*");
      if (name === "" || star > 0 || (star === 0 && !/^\*\.[^*]+$/.test(name))) {
        throw new Error(`server_names[${index}]: ${JSON.stringify(name)} is neither a name nor "*." and a name`);
      }
      return name.toLowerCase();
    }),
    transportProtocol: match?.transportProtocol ?? "",
    applicationProtocols: match?.applicationProtocols ?? [],
  };
}

/** Whether the chain's choice needs a look at the client's first bytes. */
export const looksInside = (match: ChainMatch): boolean =>
  match.serverNames.length > 0 || match.transportProtocol !== "" || match.applicationProtocols.length > 0;

interface Entry<C> {
  readonly match: ChainMatch;
  readonly chain: C;
}

/**
 * Finds the chain of a connection, by Envoy's order of criteria: destination port, destination address, server name, transport
 * protocol, application protocol. At each the most specific entries stay, and none of the others is come back to.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch
 */
export class ChainIndex<C> {
  private readonly ports = new Map<number, PrefixGroup<C>[]>();

  /** Throws an Error when two entries would match the same connections. */
  constructor(entries: readonly Entry<C>[]) {
    const seen = new Map<string, number>();
    for (const [index, entry] of entries.entries()) {
      for (const key of combinations(entry.match)) {
        const other = seen.get(key);
        if (other !== undefined) {
          throw new Error(`filter_chains[${index}].filter_chain_match: matches what filter_chains[${other}] does`);
        }
        seen.set(key, index);
      }
      this.add(entry);
    }
  }

  find(facts: ConnectionFacts): C | undefined {
    const groups = this.ports.get(facts.localPort) ?? this.ports.get(0) ?? [];
    const group = groups.find((candidate) => candidate.covers(facts.localAddress));
    if (group === undefined) return undefined;
    const named = byServerName(group.names, facts.serverName) ?? group.names.get("") ?? [];
    const transport = narrow(named, ({ match }) => match.transportProtocol, facts.transportProtocol);
    for (const protocol of facts.applicationProtocols) {
      const found = transport.find(({ match }) => match.applicationProtocols.includes(protocol));
      if (found !== undefined) return found.chain;
    }
    return transport.find(({ match }) => match.applicationProtocols.length === 0)?.chain;
  }

  private add(entry: Entry<C>): void {
    const { port, prefixes, serverNames } = entry.match;
    const groups = this.ports.get(port) ?? [];
    this.ports.set(port, groups);
    for (const prefix of prefixes.length > 0 ? prefixes : [undefined]) {
      const key = prefixKey(prefix);
      let group = groups.find((candidate) => candidate.key === key);
      if (group === undefined) {
        group = new PrefixGroup(prefix);
        groups.push(group);
        groups.sort((a, b) => b.bits - a.bits);
      }
      for (const name of serverNames.length > 0 ? serverNames : [""]) {
        group.names.set(name, [...(group.names.get(name) ?? []), entry]);
      }
    }
  }
}

const prefixKey = (prefix: Prefix | undefined): string =>
  prefix === undefined ? "" : `${prefix.address}/${prefix.bits}`;

class PrefixGroup<C> {
  readonly key: string;
  /** -1: any address. */
  readonly bits: number;
  readonly names = new Map<string, readonly Entry<C>[]>();
  private readonly list = new BlockList();

  constructor(prefix: Prefix | undefined) {
    this.key = prefixKey(prefix);
    this.bits = prefix?.bits ?? -1;
    if (prefix) this.list.addSubnet(prefix.address, prefix.bits, isIP(prefix.address) === 4 ? "ipv4" : "ipv6");
  }

  covers(address: string): boolean {
    if (this.bits < 0) return true;
    const family = isIP(address);
    return family !== 0 && this.list.check(address, family === 4 ? "ipv4" : "ipv6");
  }
}

/** The name itself, else the longest wildcard above it. */
function byServerName<V>(names: ReadonlyMap<string, V>, name: string): V | undefined {
  if (name === "") return undefined;
  const exact = names.get(name);
  if (exact !== undefined) return exact;
  for (let dot = name.indexOf("."); dot !== -1; dot = name.indexOf(".", dot + 1)) {
    const found = names.get(`*${name.slice(dot)}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function narrow<C>(
  entries: readonly Entry<C>[],
  criterion: (entry: Entry<C>) => string,
  value: string,
): readonly Entry<C>[] {
  const specific = entries.filter((entry) => criterion(entry) === value);
  return specific.length > 0 ? specific : entries.filter((entry) => criterion(entry) === "");
}

function combinations({
  port,
  prefixes,
  serverNames,
  transportProtocol,
  applicationProtocols,
}: ChainMatch): Set<string> {
  const keys = new Set<string>();
  const of = <T>(values: readonly T[], none: T) => (values.length > 0 ? values : [none]);
  for (const prefix of of(prefixes.map(prefixKey), "")) {
    for (const name of of(serverNames, "")) {
      for (const protocol of of(applicationProtocols, ""))
        keys.add([port, prefix, name, transportProtocol, protocol].join(" "));
    }
  }
  return keys;
}
