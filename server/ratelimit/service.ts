import { create } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import {
  RateLimitResponse_Code as Code,
  type RateLimitRequest,
  type RateLimitResponse,
  RateLimitResponseSchema,
  RateLimitService,
  RateLimitResponse_RateLimit_Unit as WireUnit,
} from "../gen/proto/envoy/service/ratelimit/v3/rls_pb.js";
import type { Clock } from "../lib/clock.ts";
import { addService, type ServiceHost } from "../lib/grpc.ts";
import type { Limit, Unit } from "./limits.ts";
import type { Asked, RateLimiter, Verdict } from "./rate-limiter.ts";

const maxDescriptors = 1_000;

/** Envoy's rate limit service. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/ratelimit/v3/rls.proto */
export function addRateLimitService(
  server: ServiceHost,
  { limiter, clock }: { limiter: RateLimiter; clock: Clock },
): void {
  addService(server, RateLimitService, {
    shouldRateLimit({ request }, callback) {
      const problem = problemOf(request);
      if (problem) callback({ code: status.INVALID_ARGUMENT, details: problem });
      else void answer(request, limiter, clock.now()).then((response) => callback(null, response));
    },
  });
}

function problemOf({ domain, descriptors }: RateLimitRequest): string | undefined {
  if (domain === "") return "domain: must not be empty";
  if (descriptors.length === 0) return "descriptors: must not be empty";
  if (descriptors.length > maxDescriptors) return `descriptors: more than ${maxDescriptors}`;
  return undefined;
}

/** No addend means one hit. */
async function answer(
  { domain, descriptors, hitsAddend }: RateLimitRequest,
  limiter: RateLimiter,
  now: number,
): Promise<RateLimitResponse> {
  const asked = descriptors.map(({ entries, limit }): Asked => {
    const unit = limit && unitNamed(limit.unit);
    return { entries, ...(limit && unit && { override: { requestsPerUnit: limit.requestsPerUnit, unit } }) };
  });
  const verdicts = await limiter.check(domain, asked, hitsAddend || 1, now);
  return create(RateLimitResponseSchema, {
    overallCode: verdicts.some(({ over }) => over) ? Code.OVER_LIMIT : Code.OK,
    statuses: verdicts.map(statusOf),
  });
}

const statusOf = ({ limit, over, remaining, resetMs }: Verdict) => ({
  code: over ? Code.OVER_LIMIT : Code.OK,
  limitRemaining: remaining,
  ...(limit && !limit.unlimited && { currentLimit: limitOf(limit), durationUntilReset: duration(resetMs) }),
});

const limitOf = ({ name, requestsPerUnit, unit }: Limit) => ({ name, requestsPerUnit, unit: wireUnits[unit] });

/** Whole seconds, rounded up: whoever waits that long is in the next window. */
const duration = (ms: number) => ({ seconds: BigInt(Math.ceil(ms / 1000)) });

/** A week is 7, which our copy of the API has no name for yet. */
const wireUnits: Record<Unit, WireUnit> = {
  second: WireUnit.SECOND,
  minute: WireUnit.MINUTE,
  hour: WireUnit.HOUR,
  day: WireUnit.DAY,
  month: WireUnit.MONTH,
  year: WireUnit.YEAR,
  week: 7 as WireUnit,
};

const unitNamed = (wire: number): Unit | undefined =>
  (Object.keys(wireUnits) as Unit[]).find((unit) => Number(wireUnits[unit]) === wire);
