import { isIP } from "node:net";
import type { Cluster_OriginalDstLbConfig as LbConfigProto } from "../../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { getHeader } from "../http/headers.ts";
import type { Counter, Stats } from "../stats.ts";
import type { Endpoint, EndpointConfig } from "./endpoint.ts";
import { type CallTarget, type FoundHosts, foundHost, type HostFinder, splitHost } from "./host-finder.ts";

export interface OriginalDestinationConfig {
  /** "": what requests say counts for nothing. */
  readonly header: string;
  /** 0: the destination's own. */
  readonly port: number;
  readonly cleanupMs: number;
}

export function compileOriginalDestination(
  config: LbConfigProto | undefined,
  cleanupMs: number,
): OriginalDestinationConfig {
  const named = config?.httpHeaderName.toLowerCase() || "x-envoy-original-dst-host";
  return { header: config?.useHttpHeader === true ? named : "", port: config?.upstreamPortOverride ?? 0, cleanupMs };
}

/**
 * `ORIGINAL_DST`: a connection goes on to where it was going, which a header may say, or the PROXY protocol.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/service_discovery#original-destination
 */
export class OriginalDestination implements HostFinder {
  private readonly config: OriginalDestinationConfig;
  private readonly cluster: FoundHosts;
  private readonly invalid: Counter;
  private readonly hosts = new Map<string, EndpointConfig>();
  private readonly used = new Set<string>();
  private readonly timer: NodeJS.Timeout;

  constructor(config: OriginalDestinationConfig, cluster: FoundHosts, stats: Stats, prefix: string) {
    this.config = config;
    this.cluster = cluster;
    this.invalid = stats.counter(`${prefix}original_dst_host_invalid`);
    this.timer = setInterval(() => this.sweep(), config.cleanupMs).unref();
  }

  find(target: CallTarget, done: (found: Endpoint | string) => void): () => void {
    done(this.endpointOf(target));
    return () => {};
  }

  close(): void {
    clearInterval(this.timer);
  }

  private endpointOf(target: CallTarget): Endpoint | string {
    const place = this.placeOf(target);
    if (place === undefined) return "no_healthy_upstream";
    const key = `${place.address}|${place.port}`;
    this.used.add(key);
    if (!this.hosts.has(key)) {
      this.hosts.set(key, foundHost(key, place.address, place.port, ""));
      this.cluster.publish(this.hosts.values());
    }
    return this.cluster.endpoint(key) ?? "no_healthy_upstream";
  }

  private placeOf({ headers, destination }: CallTarget): { address: string; port: number } | undefined {
    const { header, port } = this.config;
    const text = header === "" ? undefined : getHeader(headers, header);
    if (text !== undefined) {
      const { name, port: own } = splitHost(text, 0);
      if (isIP(name) !== 0 && own !== 0) return { address: name, port: port || own };
      this.invalid.inc();
    }
    return destination && { address: destination.address, port: port || destination.port };
  }

  /** Who was not called for a whole interval is forgotten. */
  private sweep(): void {
    const idle = [...this.hosts.keys()].filter(
      (key) => !this.used.has(key) && this.cluster.endpoint(key)?.active === 0,
    );
    this.used.clear();
    if (idle.length === 0) return;
    for (const key of idle) this.hosts.delete(key);
    this.cluster.publish(this.hosts.values());
  }
}
