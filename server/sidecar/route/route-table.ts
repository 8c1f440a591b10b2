import {
  VirtualHost_TlsRequirementType as TlsRequirement,
  type VirtualHost,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { each, together } from "../config/problems.ts";
import type { RequestView } from "../match/request-view.ts";
import type { Metadata } from "../record.ts";
import { type CompiledRoute, compileRoute, type PerFilterCompiler, type PerFilterConfig } from "./compile-route.ts";
import { compileHeaderOps, type HeaderOp } from "./header-ops.ts";
import { compileRateLimits, type RateLimitRule } from "./rate-limits.ts";
import { type Chance, matches } from "./route-match.ts";

export interface CompiledVirtualHost {
  readonly name: string;
  readonly domains: readonly string[];
  readonly routes: readonly CompiledRoute[];
  readonly requestOps: readonly HeaderOp[];
  readonly responseOps: readonly HeaderOp[];
  readonly perFilter: PerFilterConfig;
  readonly rateLimits: readonly RateLimitRule[];
  readonly metadata: Metadata | undefined;
  /** Plain requests are sent to https, as `require_tls: ALL` has it. */
  readonly requireTls: boolean;
  readonly attemptCount: boolean;
  readonly attemptCountInResponse: boolean;
}

/** What one RouteConfiguration (or what VHDS adds to it) routes. Entries change one virtual host at a time; each entry is immutable. */
export class RouteTable {
  readonly name: string;
  readonly requestOps: readonly HeaderOp[];
  readonly responseOps: readonly HeaderOp[];
  readonly perFilter: PerFilterConfig;
  readonly mostSpecificWins: boolean;
  private readonly ignorePort: boolean;
  /** Key: resource name (VHDS) or the name inside the RouteConfiguration. */
  private readonly hosts = new Map<string, CompiledVirtualHost>();
  private readonly exact = new Map<string, CompiledVirtualHost>();
  /** `*.example.com` under `.example.com`, `example.*` under `example.`. */
  private readonly suffixes = new Map<string, CompiledVirtualHost>();
  private readonly prefixes = new Map<string, CompiledVirtualHost>();
  /** Longest first: Envoy takes the longest wildcard. */
  private suffixLengths: number[] = [];
  private prefixLengths: number[] = [];
  private fallback: CompiledVirtualHost | undefined = undefined;

  /** Throws an Error naming the field when something cannot be compiled. Virtual hosts are put in by the caller. */
  constructor(config: RouteConfiguration, perFilter: PerFilterCompiler) {
    this.name = config.name;
    const compiled = together<Pick<RouteTable, "requestOps" | "responseOps" | "perFilter">>({
      requestOps: () => compileHeaderOps("request", config.requestHeadersToAdd, config.requestHeadersToRemove),
      responseOps: () => compileHeaderOps("response", config.responseHeadersToAdd, config.responseHeadersToRemove),
      perFilter: () => perFilter(config.typedPerFilterConfig),
    });
    this.requestOps = compiled.requestOps;
    this.responseOps = compiled.responseOps;
    this.perFilter = compiled.perFilter;
    this.mostSpecificWins = config.mostSpecificHeaderMutationsWins;
    this.ignorePort = config.ignorePortInHostMatching;
  }

  /** Puts or replaces one virtual host. Throws, before any change, when another one has the same domain. */
  put(key: string, host: CompiledVirtualHost): void {
    const before = this.hosts.get(key);
    for (const domain of host.domains) {
      const owner = this.ownerOf(domain);
      if (owner !== undefined && owner !== before) {
        throw new Error(`domains: ${JSON.stringify(domain)} is already in virtual host ${JSON.stringify(owner.name)}`);
      }
    }
    if (before !== undefined) this.forget(before);
    this.hosts.set(key, host);
    for (const domain of host.domains) this.index(domain, host);
    this.sortLengths();
  }

  delete(key: string): boolean {
    const host = this.hosts.get(key);
    if (host === undefined) return false;
    this.hosts.delete(key);
    this.forget(host);
    this.sortLengths();
    return true;
  }

  get virtualHosts(): Iterable<[string, CompiledVirtualHost]> {
    return this.hosts;
  }

  /** Exact, then longest suffix wildcard, then longest prefix wildcard, then `*`. */
  find(authority: string): CompiledVirtualHost | undefined {
    const direct = this.exact.get(authority);
    if (direct !== undefined && !this.ignorePort) return direct;
    let host = authority.toLowerCase();
    if (this.ignorePort) host = withoutPort(host);
    return this.exact.get(host) ?? this.findWildcard(host) ?? this.fallback;
  }

  private findWildcard(host: string): CompiledVirtualHost | undefined {
    for (const length of this.suffixLengths) {
      // A wildcard stands for at least one character.
      if (length >= host.length) continue;
      const found = this.suffixes.get(host.slice(-length));
      if (found !== undefined) return found;
    }
    for (const length of this.prefixLengths) {
      if (length >= host.length) continue;
      const found = this.prefixes.get(host.slice(0, length));
      if (found !== undefined) return found;
    }
    return undefined;
  }

  private ownerOf(domain: string): CompiledVirtualHost | undefined {
    const [map, key] = this.place(domain);
    return map === undefined ? this.fallback : map.get(key);
  }

  private index(domain: string, host: CompiledVirtualHost): void {
    const [map, key] = this.place(domain);
    if (map === undefined) this.fallback = host;
    else map.set(key, host);
  }

  private forget(host: CompiledVirtualHost): void {
    for (const domain of host.domains) {
      const [map, key] = this.place(domain);
      if (map === undefined) this.fallback = undefined;
      else map.delete(key);
    }
  }

  private place(domain: string): [Map<string, CompiledVirtualHost> | undefined, string] {
    if (domain === "*") return [undefined, ""];
    if (domain.startsWith("*")) return [this.suffixes, domain.slice(1)];
    if (domain.endsWith("*")) return [this.prefixes, domain.slice(0, -1)];
    return [this.exact, domain];
  }

  private sortLengths(): void {
    this.suffixLengths = lengths(this.suffixes);
    this.prefixLengths = lengths(this.prefixes);
  }
}

/** Throws an Error naming the field. */
export function compileVirtualHost(host: VirtualHost, perFilter: PerFilterCompiler): CompiledVirtualHost {
  if (host.domains.length === 0) throw new Error("domains: at least one is required");
  if (host.requireTls === TlsRequirement.EXTERNAL_ONLY) throw new Error("require_tls: EXTERNAL_ONLY is not supported");
  return {
    name: host.name,
    domains: [...new Set(host.domains.map((domain) => domain.toLowerCase()))],
    ...together<Pick<CompiledVirtualHost, "routes" | "requestOps" | "responseOps" | "perFilter" | "rateLimits">>({
      rateLimits: () => compileRateLimits(host.rateLimits),
      routes: () => each("routes", host.routes, (route) => compileRoute(route, host, perFilter)),
      requestOps: () => compileHeaderOps("request", host.requestHeadersToAdd, host.requestHeadersToRemove),
      responseOps: () => compileHeaderOps("response", host.responseHeadersToAdd, host.responseHeadersToRemove),
      perFilter: () => perFilter(host.typedPerFilterConfig),
    }),
    metadata: host.metadata?.filterMetadata as Metadata | undefined,
    requireTls: host.requireTls === TlsRequirement.ALL,
    attemptCount: host.includeRequestAttemptCount,
    attemptCountInResponse: host.includeAttemptCountInResponse,
  };
}

/** The first route of a virtual host that takes the request. */
export function findRoute(host: CompiledVirtualHost, view: RequestView, chance: Chance): CompiledRoute | undefined {
  const question = view.path.indexOf("?");
  const path = question === -1 ? view.path : view.path.slice(0, question);
  for (const route of host.routes) if (matches(route.match, view, path, chance)) return route;
  return undefined;
}

const lengths = (map: Map<string, unknown>): number[] =>
  [...new Set([...map.keys()].map((key) => key.length))].sort((a, b) => b - a);

/** `host:port` or `[v6]:port` without the port. */
export function withoutPort(host: string): string {
  const colon = host.lastIndexOf(":");
  return colon > host.lastIndexOf("]") ? host.slice(0, colon) : host;
}
