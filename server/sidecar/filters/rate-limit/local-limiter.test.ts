import { create, fromJson, type JsonObject } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { LocalRateLimitSchema } from "../../../gen/proto/envoy/extensions/filters/http/local_ratelimit/v3/local_rate_limit_pb.js";
import { TokenBucketSchema } from "../../../gen/proto/envoy/type/v3/token_bucket_pb.js";
import { compileBucket, TokenBucket } from "../../limit/token-bucket.ts";
import type { Descriptor } from "../../route/rate-limits.ts";
import { compileLimiter, LocalLimiter } from "./local-limiter.ts";

const bucket = (max_tokens: number, tokens_per_fill: number, fill_interval: string): JsonObject => ({
  max_tokens,
  tokens_per_fill,
  fill_interval,
});

describe("a bucket", () => {
  it("fills evenly, and never above the brim", () => {
    let now = 0;
    const settings = compileBucket(fromJson(TokenBucketSchema, bucket(3, 2, "1s")));
    const tokens = new TokenBucket(settings, () => now);
    expect([tokens.take(), tokens.take(), tokens.take(), tokens.take()]).toEqual([true, true, true, false]);
    now = 499;
    expect([tokens.take(), tokens.remaining, tokens.resetSeconds]).toEqual([false, 0, 1]);
    now = 500;
    expect([tokens.remaining, tokens.resetSeconds, tokens.take(), tokens.take()]).toEqual([1, 0, true, false]);
    now = 60_000;
    expect([tokens.remaining, tokens.take(4), tokens.take(3), tokens.remaining]).toEqual([3, false, true, 0]);
  });

  it.each<[JsonObject, string]>([
    [{ fill_interval: "1s" }, "max_tokens: must be greater than 0"],
    [{ max_tokens: 1 }, "fill_interval: required"],
    [bucket(1, 1, "0.049s"), "fill_interval: must be 0.05s at least"],
    [bucket(1, 0, "1s"), "tokens_per_fill: must be greater than 0"],
  ])("%j: %s", (config, problem) => {
    expect(() => compileBucket(fromJson(TokenBucketSchema, config))).toThrow(problem);
  });
});

describe("limits by description", () => {
  const described = (...pairs: [string, string][]): Descriptor => ({
    entries: pairs.map(([key, value]) => ({ key, value })),
    limit: undefined,
    hits: undefined,
  });
  const limiter = (config: JsonObject) =>
    new LocalLimiter(compileLimiter(fromJson(LocalRateLimitSchema, { stat_prefix: "x", ...config })), () => 0);
  const limit = (max: number, ...pairs: [string, string][]): JsonObject => ({
    entries: pairs.map(([key, value]) => ({ key, value })),
    token_bucket: bucket(max, 1, "60s"),
  });

  it("ask the scarcest first, so that a refusal costs the others nothing", () => {
    const scarce = { ...limit(1, ["a", "1"]), token_bucket: bucket(1, 1, "600s") };
    const limits = limiter({ descriptors: [limit(2, ["b", "1"]), scarce] });
    const both = [described(["b", "1"]), described(["a", "1"])];
    expect([limits.judge(both).allowed, limits.judge(both).allowed, limits.judge(both).allowed]).toEqual([
      true,
      false,
      false,
    ]);
    expect(limits.judge([described(["b", "1"])]).allowed).toBe(true);
    expect(limits.judge([described(["b", "1"])]).allowed).toBe(false);
  });

  it("hold for all of a description, and for nothing like it", () => {
    const limits = limiter({ descriptors: [limit(1, ["a", "1"], ["b", "2"])] });
    for (const other of [
      described(["a", "1"]),
      described(["b", "2"], ["a", "1"]),
      described(["a", "1"], ["b", "2"], ["c", "3"]),
    ]) {
      expect([limits.judge([other]).allowed, limits.judge([other]).allowed]).toEqual([true, true]);
    }
    const same = [described(["a", "1"], ["b", "2"])];
    expect([limits.judge(same).allowed, limits.judge(same).allowed]).toEqual([true, false]);
  });

  it("have a bucket for each value, of which the least lately used goes", () => {
    const limits = limiter({ descriptors: [limit(1, ["user", ""])], max_dynamic_descriptors: 2 });
    const ask = (user: string) => limits.judge([described(["user", user])]).allowed;
    expect([ask("a"), ask("b"), ask("a"), ask("c"), ask("a"), ask("b")]).toEqual([
      true,
      true,
      false,
      true,
      false,
      true,
    ]);
  });

  it("count as many as a request is", () => {
    const limits = limiter({ descriptors: [limit(5, ["a", "1"])] });
    const heavy = [{ ...described(["a", "1"]), hits: 3 }];
    expect([limits.judge(heavy).allowed, limits.judge(heavy).allowed]).toEqual([true, false]);
  });

  it("are shared evenly with other proxies", () => {
    const limits = limiter({ token_bucket: bucket(8, 1, "60s"), descriptors: [limit(5, ["a", "1"])] });
    const ask = (sharers: number, of: Descriptor[] = []) => limits.judge(of, sharers).allowed;
    expect([ask(3), ask(3), ask(3), ask(2), ask(1)]).toEqual([true, true, false, true, false]);
    const own = limiter({ descriptors: [limit(5, ["a", "1"])] });
    const heavy = [{ ...described(["a", "1"]), hits: 2 }];
    expect([own.judge(heavy, 3).allowed, own.judge(heavy, 2).allowed, own.judge(heavy, 1).allowed]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it("are told apart", () => {
    const config = { stat_prefix: "x", descriptors: [limit(1, ["a", "1"]), limit(2, ["a", "1"]), { entries: [] }, {}] };
    expect(() => compileLimiter(fromJson(LocalRateLimitSchema, config))).toThrow(
      "descriptors[1].entries: are those of another descriptor; descriptors[2].entries: at least one is required",
    );
    expect(compileLimiter(create(LocalRateLimitSchema)).common).toBeUndefined();
  });
});
