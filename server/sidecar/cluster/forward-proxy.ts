import type { CachedHost, DnsCache } from "./dns-cache.ts";
import type { Endpoint, EndpointConfig } from "./endpoint.ts";
import { type CallTarget, type FoundHosts, foundHost, type HostFinder, splitHost } from "./host-finder.ts";

/**
 * `envoy.clusters.dynamic_forward_proxy`: calls go to whatever host they name, which is looked up with the first.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_proxy
 */
export class ForwardProxy implements HostFinder {
  private readonly cache: DnsCache;
  private readonly cluster: FoundHosts;
  private readonly defaultPort: number;
  private readonly hosts = new Map<string, EndpointConfig>();
  private readonly unfollow: () => void;

  /** @param defaultPort of a host that says none */
  constructor(cache: DnsCache, cluster: FoundHosts, defaultPort: number) {
    this.cache = cache;
    this.cluster = cluster;
    this.defaultPort = defaultPort;
    this.unfollow = cache.follow((host, gone) => this.onChange(host, gone));
  }

  find({ host, port }: CallTarget, done: (found: Endpoint | string) => void): () => void {
    if (host === "") {
      done("empty_host_header");
      return () => {};
    }
    const named = splitHost(host, port ?? this.defaultPort);
    return this.cache.find(named.name, port ?? named.port, (found) => done(this.endpointOf(found)));
  }

  close(): void {
    this.unfollow();
  }

  private endpointOf(host: CachedHost): Endpoint | string {
    if (host.address === undefined) return host.failure;
    if (this.hosts.get(host.key)?.address !== host.address) this.put(host, host.address);
    return this.cluster.endpoint(host.key) ?? "no_healthy_upstream";
  }

  /** Of names that only others have called nothing is kept. */
  private onChange(host: CachedHost, gone: boolean): void {
    if (!this.hosts.has(host.key)) return;
    if (!gone && host.address !== undefined) this.put(host, host.address);
    else if (gone && this.hosts.delete(host.key)) this.cluster.publish(this.hosts.values());
  }

  private put({ key, name, port }: CachedHost, address: string): void {
    // Another address is another host: connections to the one before end with their requests.
    this.hosts.set(key, foundHost(key, address, port, name));
    this.cluster.publish(this.hosts.values());
  }
}
