import { z } from "zod";

/** The load that a proxy last told of (LRS), for one cluster and locality. */
export const ProxyLoad = z.object({
  cluster: z.string(),
  /** `region/zone/subzone`; empty where there is none. */
  locality: z.string(),
  requestsPerSec: z.number(),
  errorsPerSec: z.number(),
  droppedPerSec: z.number(),
  inProgress: z.number(),
  /** Unix milliseconds. */
  at: z.number(),
});
export type ProxyLoad = z.infer<typeof ProxyLoad>;

/** `GET /limpid/v1/loads`, `GET /api/loads`: by node id, the busiest clusters first. */
export const LoadList = z.object({ proxies: z.array(z.object({ id: z.string(), loads: z.array(ProxyLoad) })) });
export type LoadList = z.infer<typeof LoadList>;

/** How a limit of the rate limit service stands in its window. */
export const RateLimitUse = z.object({
  domain: z.string(),
  /** `key=value,key=value` */
  descriptor: z.string(),
  name: z.string(),
  unit: z.enum(["second", "minute", "hour", "day", "week", "month", "year"]),
  requestsPerUnit: z.number(),
  /** In this window so far. */
  count: z.number(),
  /** When the window ends, Unix milliseconds. */
  endMs: z.number(),
  /** Counted and told, but nobody is refused. */
  shadow: z.boolean(),
});
export type RateLimitUse = z.infer<typeof RateLimitUse>;

/** `GET /limpid/v1/rate-limits`, `GET /api/rate-limits`: the fullest first. */
export const RateLimitUses = z.object({ limits: z.array(RateLimitUse) });
export type RateLimitUses = z.infer<typeof RateLimitUses>;

/** The domain in which the limits of services (RateLimit) are counted, and how their descriptors begin. */
export const serviceLimitDomain = "limpid.services";
