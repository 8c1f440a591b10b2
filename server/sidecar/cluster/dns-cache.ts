import { isIP } from "node:net";
import type { DnsCacheConfig as DnsCacheProto } from "../../gen/proto/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js";
import { durationMs } from "../duration.ts";
import type { Counter, Gauge, Stats } from "../stats.ts";
import { type DnsFamily, dnsFamilyOf, type Lookup, lookupName } from "./dns.ts";

export interface DnsCacheConfig {
  readonly name: string;
  /** Equal for equal settings. */
  readonly key: string;
  readonly family: DnsFamily;
  readonly refreshMs: number;
  readonly failureRefreshMs: number;
  /** A name that nobody asks for is forgotten after so long. */
  readonly ttlMs: number;
  readonly maxHosts: number;
  readonly maxPending: number;
  readonly queryTimeoutMs: number;
}

/** Throws an Error naming the field. Unsupported fields were refused before. */
export function compileDnsCache(config: DnsCacheProto | undefined): DnsCacheConfig {
  if (config === undefined || config.name === "") throw new Error("dns_cache_config.name: required");
  const refreshMs = durationMs(config.dnsRefreshRate) ?? 60_000;
  const compiled = {
    name: config.name,
    family: dnsFamilyOf(config.dnsLookupFamily),
    refreshMs,
    failureRefreshMs: durationMs(config.dnsFailureRefreshRate?.baseInterval) ?? refreshMs,
    ttlMs: durationMs(config.hostTtl) ?? 300_000,
    maxHosts: config.maxHosts ?? 1024,
    maxPending: config.dnsCacheCircuitBreaker?.maxPendingRequests ?? 1024,
    queryTimeoutMs: durationMs(config.dnsQueryTimeout) ?? 5000,
  };
  return { ...compiled, key: JSON.stringify(compiled) };
}

/** One name, or address, and port; and where it is. */
export interface CachedHost {
  /** `name:port`. */
  readonly key: string;
  readonly name: string;
  readonly port: number;
  /** Undefined: it could not be resolved. */
  address: string | undefined;
  /** Why not. */
  failure: string;
  usedAt: number;
}

interface Entry extends CachedHost {
  waiting: ((host: CachedHost) => void)[];
  known: boolean;
  timer: NodeJS.Timeout | undefined;
}

/** Names that calls have asked for, kept fresh while they are asked for. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/dynamic_forward_proxy_filter#statistics */
export class DnsCache {
  readonly config: DnsCacheConfig;
  private readonly stats: CacheStats;
  private readonly now: () => number;
  private readonly lookup: Lookup;
  private readonly entries = new Map<string, Entry>();
  private readonly followers = new Set<(host: CachedHost, gone: boolean) => void>();
  private pending = 0;

  /** @param now monotonic ms */
  constructor(config: DnsCacheConfig, stats: Stats, now: () => number, lookup: Lookup = lookupName) {
    this.config = config;
    this.stats = new CacheStats(stats, `dns_cache.${config.name}.`);
    this.now = now;
    this.lookup = lookup;
  }

  /** @param told of every host whose address is another one now, and of those that are forgotten. @returns ends that */
  follow(told: (host: CachedHost, gone: boolean) => void): () => void {
    this.followers.add(told);
    return () => this.followers.delete(told);
  }

  /** Answers at once when the name is known, or nothing can be done. @returns takes the question back */
  find(name: string, port: number, done: (host: CachedHost) => void): () => void {
    const key = `${name}:${port}`;
    const entry = this.entries.get(key) ?? this.begin(key, name, port);
    entry.usedAt = this.now();
    if (entry.known) {
      done(entry);
      return () => {};
    }
    if (this.pending >= this.config.maxPending) {
      this.stats.pendingOverflow.inc();
      done({ ...entry, failure: "dns_cache_pending_requests_overflow" });
      return () => {};
    }
    this.pending++;
    let over = false;
    const settle = (): boolean => {
      if (over) return false;
      over = true;
      this.pending--;
      return true;
    };
    entry.waiting.push((host) => {
      if (settle()) done(host);
    });
    return () => void settle();
  }

  close(): void {
    for (const { timer } of this.entries.values()) clearTimeout(timer);
    this.entries.clear();
    this.followers.clear();
  }

  private begin(key: string, name: string, port: number): Entry {
    const address = isIP(name) === 0 ? undefined : name;
    const full = this.entries.size >= this.config.maxHosts;
    const known = address !== undefined || full;
    const failure = full ? "dns_cache_overflow" : "";
    const entry: Entry = {
      key,
      name,
      port,
      address,
      failure,
      usedAt: this.now(),
      waiting: [],
      known,
      timer: undefined,
    };
    if (full) {
      this.stats.overflow.inc();
      entry.address = undefined;
      return entry;
    }
    this.entries.set(key, entry);
    this.stats.added.inc();
    this.stats.hosts.set(this.entries.size);
    if (known) {
      this.tell(entry, false);
      this.later(entry, this.config.ttlMs);
    } else void this.resolve(entry);
    return entry;
  }

  private async resolve(entry: Entry): Promise<void> {
    this.stats.attempts.inc();
    const { address, failure } = await this.ask(entry.name);
    if (this.entries.get(entry.key) !== entry) return;
    if (address === undefined) this.stats.failures.inc();
    else this.stats.successes.inc();
    // The last known address is better than none.
    const changed = address !== undefined && address !== entry.address;
    if (changed) {
      entry.address = address;
      this.stats.changed.inc();
    }
    entry.failure = entry.address === undefined ? failure : "";
    entry.known = true;
    if (changed) this.tell(entry, false);
    this.later(entry, address === undefined ? this.config.failureRefreshMs : this.config.refreshMs);
    for (const done of entry.waiting.splice(0)) done(entry);
  }

  private async ask(name: string): Promise<{ address: string | undefined; failure: string }> {
    const { family, queryTimeoutMs } = this.config;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), queryTimeoutMs).unref();
    });
    try {
      const found = await Promise.race([this.lookup(name, { all: true, family }), late]);
      if (found === undefined) {
        this.stats.timeouts.inc();
        return { address: undefined, failure: "dns_resolution_failure{resolve_timeout}" };
      }
      return { address: found[0]?.address, failure: "dns_resolution_failure" };
    } catch (error) {
      const { code = "unknown" } = error as NodeJS.ErrnoException;
      return { address: undefined, failure: `dns_resolution_failure{${code}}` };
    } finally {
      clearTimeout(timer);
    }
  }

  private later(entry: Entry, ms: number): void {
    entry.timer = setTimeout(() => {
      if (this.now() - entry.usedAt >= this.config.ttlMs) this.forget(entry);
      else if (isIP(entry.name) !== 0) this.later(entry, this.config.ttlMs);
      else void this.resolve(entry);
    }, ms).unref();
  }

  private forget(entry: Entry): void {
    this.entries.delete(entry.key);
    this.stats.removed.inc();
    this.stats.hosts.set(this.entries.size);
    this.tell(entry, true);
  }

  private tell(host: CachedHost, gone: boolean): void {
    for (const told of this.followers) told(host, gone);
  }
}

class CacheStats {
  readonly attempts: Counter;
  readonly successes: Counter;
  readonly failures: Counter;
  readonly timeouts: Counter;
  readonly changed: Counter;
  readonly added: Counter;
  readonly removed: Counter;
  readonly overflow: Counter;
  readonly pendingOverflow: Counter;
  readonly hosts: Gauge;

  constructor(stats: Stats, prefix: string) {
    this.attempts = stats.counter(`${prefix}dns_query_attempt`);
    this.successes = stats.counter(`${prefix}dns_query_success`);
    this.failures = stats.counter(`${prefix}dns_query_failure`);
    this.timeouts = stats.counter(`${prefix}dns_query_timeout`);
    this.changed = stats.counter(`${prefix}host_address_changed`);
    this.added = stats.counter(`${prefix}host_added`);
    this.removed = stats.counter(`${prefix}host_removed`);
    this.overflow = stats.counter(`${prefix}host_overflow`);
    this.pendingOverflow = stats.counter(`${prefix}dns_rq_pending_overflow`);
    this.hosts = stats.gauge(`${prefix}num_hosts`);
  }
}

/** The caches of a proxy, each shared by all that call it by its name. */
export class DnsCaches {
  private readonly byName = new Map<string, DnsCache>();
  private readonly stats: Stats;
  private readonly now: () => number;
  private readonly lookup: Lookup | undefined;

  constructor(stats: Stats, now: () => number, lookup?: Lookup) {
    this.stats = stats;
    this.now = now;
    this.lookup = lookup;
  }

  /** Throws an Error when somebody else has settled on other settings for the name. */
  check({ name, key }: DnsCacheConfig): void {
    const known = this.byName.get(name);
    if (known !== undefined && known.config.key !== key) {
      throw new Error(`dns_cache_config: the cache ${JSON.stringify(name)} is there already, with other settings`);
    }
  }

  get(config: DnsCacheConfig): DnsCache {
    let cache = this.byName.get(config.name);
    if (cache === undefined) {
      cache = new DnsCache(config, this.stats, this.now, this.lookup);
      this.byName.set(config.name, cache);
    }
    return cache;
  }

  close(): void {
    for (const cache of this.byName.values()) cache.close();
    this.byName.clear();
  }
}
