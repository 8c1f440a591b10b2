import { toJsonString } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { LocalRateLimitSchema } from "../../gen/proto/envoy/extensions/filters/network/local_ratelimit/v3/local_rate_limit_pb.js";
import { TokenBucketSchema } from "../../gen/proto/envoy/type/v3/token_bucket_pb.js";
import { at } from "../config/problems.ts";
import { type BucketSettings, compileBucket, TokenBucket } from "../limit/token-bucket.ts";
import { ResponseFlag } from "../record.ts";
import type { Stats } from "../stats.ts";
import { type NetworkFilterFactory, statPrefix } from "./network-filter.ts";

/** So many new connections in a time: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/local_rate_limit_filter */
export const networkLocalRateLimit: NetworkFilterFactory = {
  schema: LocalRateLimitSchema,
  fields: {
    [LocalRateLimitSchema.typeName]: ["stat_prefix", "token_bucket", "runtime_enabled", "share_key"],
    "envoy.type.v3.TokenBucket": ["max_tokens", "tokens_per_fill", "fill_interval"],
    "envoy.config.core.v3.RuntimeFeatureFlag": ["default_value", "runtime_key"],
  },
  compile(config, { stats, runtime }) {
    const limit = anyUnpack(config, LocalRateLimitSchema);
    if (limit === undefined || limit.statPrefix === "") throw new Error("stat_prefix: required");
    const { tokenBucket, shareKey } = limit;
    if (tokenBucket === undefined) throw new Error("token_bucket: required");
    const settings = at("token_bucket", () => compileBucket(tokenBucket));
    const key = `${shareKey} ${toJsonString(TokenBucketSchema, tokenBucket)}`;
    const bucket = shareKey === "" ? newBucket(settings) : sharedBucket(stats, key, settings);
    const enabled = runtime.flag(limit.runtimeEnabled, true);
    const limited = stats.counter(`${statPrefix("local_rate_limit", limit.statPrefix)}rate_limited`);
    return {
      accept() {
        if (!enabled() || bucket.take()) return undefined;
        limited.inc();
        return refusal;
      },
    };
  },
};

/** Envoy has this flag here, for want of another. */
const refusal = {
  details: "local_ratelimit_close_over_limit",
  flags: ResponseFlag.upstreamRetryLimitExceeded,
  delayMs: 0,
};

const newBucket = (settings: BucketSettings): TokenBucket => new TokenBucket(settings, () => performance.now());

/** Of each data plane, told apart by its stats; a bucket goes with the last filter that has it. */
const shared = new WeakMap<Stats, Map<string, WeakRef<TokenBucket>>>();

function sharedBucket(stats: Stats, key: string, settings: BucketSettings): TokenBucket {
  const buckets = shared.get(stats) ?? new Map<string, WeakRef<TokenBucket>>();
  shared.set(stats, buckets);
  for (const [name, { deref }] of buckets) if (deref.call(buckets.get(name)) === undefined) buckets.delete(name);
  const bucket = buckets.get(key)?.deref() ?? newBucket(settings);
  buckets.set(key, new WeakRef(bucket));
  return bucket;
}
