import type { LocalRateLimit } from "../../../gen/proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { Recent } from "../../../lib/recent.ts";
import { at, each, together } from "../../config/problems.ts";
import { toWire } from "../../http/headers.ts";
import { type BucketSettings, compileBucket, TokenBucket } from "../../limit/token-bucket.ts";
import type { Descriptor } from "../../route/rate-limits.ts";

interface Verdict {
  readonly allowed: boolean;
  /** The bucket that decided, which the client is told of; undefined: there is none. */
  readonly bucket: TokenBucket | undefined;
}

/** A bucket for requests of one description; of an entry without a value, one for each value. */
interface LimitSettings {
  readonly entries: Descriptor["entries"];
  readonly bucket: BucketSettings;
}

export interface LimiterSettings {
  readonly common: BucketSettings | undefined;
  readonly limits: readonly LimitSettings[];
  readonly alwaysCommon: boolean;
  readonly maxDynamic: number;
}

/** Throws an Error naming the fields. */
export function compileLimiter(config: LocalRateLimit): LimiterSettings {
  const { tokenBucket, descriptors, alwaysConsumeDefaultTokenBucket, maxDynamicDescriptors } = config;
  const { common, limits } = together<Pick<LimiterSettings, "common" | "limits">>({
    common: () => tokenBucket && at("token_bucket", () => compileBucket(tokenBucket)),
    limits: () =>
      each("descriptors", descriptors, ({ entries, tokenBucket: own }, index) => {
        if (entries.length === 0) throw new Error("entries: at least one is required");
        if (own === undefined) throw new Error("token_bucket: required");
        const made = entries.map(({ key, value }) => ({ key, value: toWire(value) }));
        const same = ({ entries: others }: (typeof descriptors)[number]) => nameOf(others) === nameOf(entries);
        if (descriptors.findIndex(same) < index) throw new Error("entries: are those of another descriptor");
        return { entries: made, bucket: at("token_bucket", () => compileBucket(own)) };
      }),
  });
  const maxDynamic = maxDynamicDescriptors ?? 20;
  return { common, limits, alwaysCommon: alwaysConsumeDefaultTokenBucket ?? true, maxDynamic };
}

const nameOf = (entries: Descriptor["entries"]): string =>
  JSON.stringify(entries.map(({ key, value }) => [key, value]));

/** The buckets of one filter, route or connection. */
export class LocalLimiter {
  private readonly settings: LimiterSettings;
  private readonly now: () => number;
  private readonly common: TokenBucket | undefined;
  /** By the limit, then by what a request is. */
  private readonly buckets = new Map<LimitSettings, Recent<TokenBucket>>();

  constructor(settings: LimiterSettings, now: () => number = () => performance.now()) {
    this.settings = settings;
    this.now = now;
    this.common = settings.common && new TokenBucket(settings.common, now);
  }

  /**
   * Takes tokens for a request; the scarcest bucket is asked first, so that those who are refused cost others nothing.
   * @param sharers how many proxies share the limits: a request takes as many tokens, so that each proxy lets through its even share
   */
  judge(descriptors: readonly Descriptor[], sharers = 1): Verdict {
    const matching = descriptors.flatMap((descriptor) => {
      const limit = this.settings.limits.find(({ entries }) => matches(entries, descriptor.entries));
      return limit === undefined ? [] : [{ bucket: this.bucketOf(limit, descriptor), hits: descriptor.hits }];
    });
    matching.sort((a, b) => a.bucket.settings.rate - b.bucket.settings.rate);
    for (const { bucket, hits } of matching) if (!bucket.take((hits ?? 1) * sharers)) return { allowed: false, bucket };
    const [first] = matching;
    const { common } = this;
    if (common !== undefined && (first === undefined || this.settings.alwaysCommon)) {
      if (!common.take(sharers)) return { allowed: false, bucket: common };
      return { allowed: true, bucket: first?.bucket ?? common };
    }
    return { allowed: true, bucket: first?.bucket };
  }

  private bucketOf(limit: LimitSettings, { entries }: Descriptor): TokenBucket {
    const known = this.buckets.get(limit) ?? new Recent<TokenBucket>(this.settings.maxDynamic);
    this.buckets.set(limit, known);
    return known.getOr(nameOf(entries), () => new TokenBucket(limit.bucket, this.now));
  }
}

const matches = (limit: Descriptor["entries"], entries: Descriptor["entries"]): boolean =>
  limit.length === entries.length &&
  limit.every(({ key, value }, at) => entries[at]?.key === key && (value === "" || entries[at]?.value === value));
