import type { RemoteJwks } from "../../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { Recent } from "../../../lib/recent.ts";
import { at } from "../../config/problems.ts";
import { durationMs } from "../../duration.ts";
import type { FilterIo, First } from "../../request/filter.ts";
import { type CallFailure, type CallResponse, call } from "../../upstream/call.ts";
import { type HttpTarget, httpTarget } from "../../upstream/http-target.ts";
import { type KeySet, parseKeySet, type TokenCache } from "./key-set.ts";

type Io = Pick<FilterIo, "clusters" | "random">;

/** What it counts, of the filter that asks. */
export interface FetchCounts {
  fetched(whole: boolean): void;
}

interface RemoteOptions extends HttpTarget {
  readonly cacheMs: number;
  /** Undefined: asked for by the request that needs them. */
  readonly failedRefetchMs: number | undefined;
  /** Listeners don't wait for the first answer. */
  readonly fastListener: boolean;
  readonly retries: number;
  readonly backOffMs: { readonly base: number; readonly max: number };
  readonly cache: TokenCache;
}

/**
 * Keys that another server publishes. Requests that come while they are fetched wait for one and the same fetch. With `async_fetch` they are fetched at once and again
 * before they expire, as long as somebody asks for them: https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/filters/http/jwt_authn/v3/config.proto#envoy-v3-api-msg-extensions-filters-http-jwt-authn-v3-remotejwks
 */
export class RemoteKeys {
  private readonly options: RemoteOptions;
  private readonly io: Io;
  private held: KeySet | undefined = undefined;
  private expires = 0;
  private wantedAt = 0;
  private fetching: Promise<KeySet | undefined> | undefined = undefined;
  private refresh: NodeJS.Timeout | undefined = undefined;

  constructor(options: RemoteOptions, io: Io) {
    this.options = options;
    this.io = io;
  }

  /** Undefined: they cannot be had now. */
  get(counts: FetchCounts): KeySet | undefined | Promise<KeySet | undefined> {
    const now = performance.now();
    this.wantedAt = now;
    if (this.held !== undefined && now < this.expires) return this.held;
    return this.fetch(counts);
  }

  /**
   * Fetches before anybody asks, if that is configured: when the listener's clusters are ready, and the listener waits for the first answer, or at once, when it
   * need not (`fast_listener`, or nobody takes firsts).
   */
  start(counts: FetchCounts, firsts: First[] | undefined): void {
    this.wantedAt = performance.now();
    if (this.options.failedRefetchMs === undefined || this.held !== undefined) return;
    if (firsts === undefined || this.options.fastListener) void this.fetch(counts);
    else firsts.push(() => this.fetch(counts));
  }

  private fetch(counts: FetchCounts): Promise<KeySet | undefined> {
    this.fetching ??= this.tryAll().then((keys) => {
      this.fetching = undefined;
      counts.fetched(keys !== undefined);
      if (keys !== undefined) {
        this.held = keys;
        this.expires = performance.now() + this.options.cacheMs;
      }
      this.fetchAgain(keys !== undefined, counts);
      return keys;
    });
    return this.fetching;
  }

  private fetchAgain(whole: boolean, counts: FetchCounts): void {
    const { failedRefetchMs, cacheMs } = this.options;
    if (failedRefetchMs === undefined) return;
    clearTimeout(this.refresh);
    const goodMs = cacheMs > beforeExpiryMs ? cacheMs - beforeExpiryMs : cacheMs;
    const timer = setTimeout(
      () => {
        // Nobody keeps what nobody uses: a filter may be long replaced.
        if (performance.now() - this.wantedAt <= Math.max(cacheMs, unusedMs)) void this.fetch(counts);
      },
      Math.min(whole ? goodMs : failedRefetchMs, maxTimerMs),
    );
    this.refresh = timer.unref();
  }

  private async tryAll(): Promise<KeySet | undefined> {
    const { retries, backOffMs, cache } = this.options;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.ask();
      if (typeof answer !== "string" && answer.status < 500) {
        const keys = answer.status === 200 ? parseKeySet(answer.body.toString("utf8"), cache) : undefined;
        return typeof keys === "string" ? undefined : keys;
      }
      if (attempt === retries) return undefined;
      const waitMs = this.io.random() * Math.min(backOffMs.max, backOffMs.base * (2 ** (attempt + 1) - 1));
      await new Promise<void>((resolve) => void setTimeout(resolve, waitMs).unref());
    }
  }

  private ask(): Promise<CallResponse | CallFailure> {
    const { cluster: name, timeoutMs, path, authority, scheme } = this.options;
    const cluster = this.io.clusters.get(name);
    if (cluster === undefined) return Promise.resolve("no cluster");
    const head = { method: "GET", path, authority, scheme, headers: [], contentLength: -1, upgrade: "", bytes: 0 };
    return new Promise((done) => void call(cluster, { head, body: [], timeoutMs, maxBytes, done }));
  }
}

/** An issuer has a handful of keys. */
const maxBytes = 1024 * 1024;
/** As Envoy: so that no request waits for the next ones. */
const beforeExpiryMs = 5_000;
const unusedMs = 60_000;
const maxTimerMs = 2 ** 31 - 1;

/**
 * The keys that a provider names. Whoever names the same ones has the same: a listener that is replaced goes on with what its predecessor fetched.
 */
export function remoteKeys(config: RemoteJwks, cache: TokenCache, io: Io): RemoteKeys {
  const { cacheDuration, asyncFetch, retryPolicy, httpUri } = config;
  const base = durationMs(retryPolicy?.retryBackOff?.baseInterval) ?? 1_000;
  const options: RemoteOptions = {
    ...at("http_uri", () => httpTarget(httpUri)),
    cacheMs: durationMs(cacheDuration) ?? 600_000,
    failedRefetchMs: asyncFetch && (durationMs(asyncFetch.failedRefetchDuration) ?? 1_000),
    fastListener: asyncFetch?.fastListener ?? false,
    retries: retryPolicy === undefined ? 0 : (retryPolicy.numRetries ?? 1),
    backOffMs: { base, max: durationMs(retryPolicy?.retryBackOff?.maxInterval) ?? base * 10 },
    cache,
  };
  const sets = known.get(io.clusters) ?? new Recent<RemoteKeys>(maxSets);
  known.set(io.clusters, sets);
  return sets.getOr(JSON.stringify(options), () => new RemoteKeys(options, io));
}

/** Of each data plane, told apart by its clusters. */
const known = new WeakMap<Io["clusters"], Recent<RemoteKeys>>();
const maxSets = 256;
