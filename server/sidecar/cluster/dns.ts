import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Cluster_DnsLookupFamily as DnsFamilyProto } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterConfig } from "./cluster-config.ts";
import type { EndpointConfig } from "./endpoint.ts";

/** 0: either. */
export type DnsFamily = 0 | 4 | 6;

export function dnsFamilyOf(family: DnsFamilyProto): DnsFamily {
  if (family === DnsFamilyProto.V4_ONLY) return 4;
  return family === DnsFamilyProto.V6_ONLY ? 6 : 0;
}

export type Lookup = (
  name: string,
  options: { all: true; family: DnsFamily },
) => Promise<readonly { address: string }[]>;

/** The system's, which may not know that every name under `localhost` is this machine: RFC 6761, 6.3. */
export const lookupName: Lookup = async (name, options) => {
  if (!/(^|\.)localhost\.?$/i.test(name)) return systemLookup(name, options);
  return [{ address: options.family === 6 ? "::1" : "127.0.0.1" }];
};

/**
 * Keeps the endpoints of a DNS cluster fresh. `strict_dns` has every address a name resolves to, `logical_dns` the first one. A name that does not
 * resolve keeps its last addresses.
 */
export class DnsResolver {
  private readonly config: ClusterConfig;
  private readonly names: readonly EndpointConfig[];
  private readonly publish: (endpoints: EndpointConfig[]) => void;
  /** The last addresses of each name; a resolver that takes over for another knows them from the start. */
  readonly known: Map<string, string[]>;
  private readonly lookup: Lookup;
  private published = "";
  private timer: NodeJS.Timeout | undefined = undefined;
  private closed = false;

  /** @param names endpoints whose address may be a name */
  constructor(
    config: ClusterConfig,
    names: readonly EndpointConfig[],
    publish: (endpoints: EndpointConfig[]) => void,
    known: ReadonlyMap<string, string[]> = new Map(),
    lookup: Lookup = lookupName,
  ) {
    this.config = config;
    this.known = new Map(known);
    this.lookup = lookup;
    this.names = names;
    this.publish = publish;
    void this.refresh();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async refresh(): Promise<void> {
    const resolved = await Promise.all(this.names.map((name) => this.resolve(name)));
    if (this.closed) return;
    const endpoints = resolved.flat();
    const key = JSON.stringify(endpoints.map((endpoint) => [endpoint.address, endpoint.port]));
    if (key !== this.published) {
      this.published = key;
      this.publish(endpoints);
    }
    this.timer = setTimeout(() => void this.refresh(), this.config.dnsRefreshMs).unref();
  }

  private async resolve(name: EndpointConfig): Promise<EndpointConfig[]> {
    const hostname = name.hostname || name.address;
    if (isIP(name.address) !== 0) return [{ ...name, hostname }];
    let addresses = this.known.get(name.address) ?? [];
    try {
      const found = await this.lookup(name.address, { all: true, family: this.config.dnsFamily });
      addresses = found.map(({ address }) => address).sort();
      this.known.set(name.address, addresses);
    } catch {
      // The last known addresses are better than none.
    }
    if (this.config.discovery === "logical_dns") addresses = addresses.slice(0, 1);
    return addresses.map((address) => ({ ...name, address, hostname }));
  }
}
