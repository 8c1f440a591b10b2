import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { ClusterConfig } from "./cluster-config.ts";
import type { EndpointConfig } from "./endpoint.ts";

/**
 * Keeps the endpoints of a DNS cluster fresh. `strict_dns` has every address a name resolves to, `logical_dns` the first one. A name that does not
 * resolve keeps its last addresses.
 */
export class DnsResolver {
  private readonly config: ClusterConfig;
  private readonly names: readonly EndpointConfig[];
  private readonly publish: (endpoints: EndpointConfig[]) => void;
  private readonly last = new Map<string, string[]>();
  private published = "";
  private timer: NodeJS.Timeout | undefined = undefined;
  private closed = false;

  /** @param names endpoints whose address may be a name */
  constructor(config: ClusterConfig, names: readonly EndpointConfig[], publish: (endpoints: EndpointConfig[]) => void) {
    this.config = config;
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
    let addresses = this.last.get(name.address) ?? [];
    try {
      const found = await lookup(name.address, { all: true, family: this.config.dnsFamily });
      addresses = found.map(({ address }) => address).sort();
      this.last.set(name.address, addresses);
    } catch {
      // The last known addresses are better than none.
    }
    if (this.config.discovery === "logical_dns") addresses = addresses.slice(0, 1);
    return addresses.map((address) => ({ ...name, address, hostname }));
  }
}
