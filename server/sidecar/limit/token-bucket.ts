import type { TokenBucket as BucketConfig } from "../../gen/proto/envoy/type/v3/token_bucket_pb.js";
import { durationMs } from "../duration.ts";

export interface BucketSettings {
  readonly max: number;
  /** Tokens per millisecond. */
  readonly rate: number;
}

/** envoy.type.v3.TokenBucket. Throws an Error naming the field. */
export function compileBucket({ maxTokens, tokensPerFill, fillInterval }: BucketConfig): BucketSettings {
  if (maxTokens === 0) throw new Error("max_tokens: must be greater than 0");
  if (tokensPerFill === 0) throw new Error("tokens_per_fill: must be greater than 0");
  if (fillInterval === undefined) throw new Error("fill_interval: required");
  const interval = durationMs(fillInterval);
  if (interval < 50) throw new Error("fill_interval: must be 0.05s at least");
  return { max: maxTokens, rate: (tokensPerFill ?? 1) / interval };
}

/** Tokens that come back evenly over time, up to a full bucket (as Envoy does since 1.32). */
export class TokenBucket {
  readonly settings: BucketSettings;
  private readonly now: () => number;
  private tokens: number;
  private filledAt: number;

  /** @param now monotonic ms */
  constructor(settings: BucketSettings, now: () => number) {
    this.settings = settings;
    this.now = now;
    this.tokens = settings.max;
    this.filledAt = now();
  }

  /** Takes that many, or none. @returns whether there were as many */
  take(count = 1): boolean {
    this.fill();
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }

  /** Whole tokens. */
  get remaining(): number {
    this.fill();
    return Math.floor(this.tokens);
  }

  /** Whole seconds till there is one again; 0: there is. */
  get resetSeconds(): number {
    this.fill();
    return this.tokens >= 1 ? 0 : Math.ceil((1 - this.tokens) / this.settings.rate / 1000);
  }

  private fill(): void {
    const at = this.now();
    const { max, rate } = this.settings;
    this.tokens = Math.min(max, this.tokens + (at - this.filledAt) * rate);
    this.filledAt = at;
  }
}
