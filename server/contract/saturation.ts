import { z } from "zod";

/** What a proxy is nearest to the end of. */
export const SaturationCause = z.enum(["cpu", "cx", "rq", "pending", "retries"]);
export type SaturationCause = z.infer<typeof SaturationCause>;

/** How full a proxy is, over the last minute of the window; null what it does not tell. */
export const ProxySaturation = z.object({
  /** Its xDS node id. */
  id: z.string(),
  namespace: z.string(),
  workload: z.string(),
  /** The fullest of what has an end, 0..1: processor, and circuit breakers with a limit. */
  share: z.number().nullable(),
  by: SaturationCause.nullable(),
  /** Whose circuit breaker it is: the name of an Envoy cluster. */
  cluster: z.string().nullable(),
  /** Cores, and of how many it can use. */
  cpu: z.number().nullable(),
  cores: z.number(),
  memoryBytes: z.number().nullable(),
  /** Lateness of its event loop. */
  loopDelayMsP99: z.number().nullable(),
  /** From callers, the most at once. */
  connections: z.number().nullable(),
  requests: z.number().nullable(),
  /** Requests that waited for a connection, the most at once. */
  pending: z.number().nullable(),
  /** Connections and requests that a circuit breaker refused, per second. */
  overflowRate: z.number(),
});
export type ProxySaturation = z.infer<typeof ProxySaturation>;

/** `GET /api/saturation[?at=<ms>]`; the fullest first. Empty where no proxy sends its metrics. */
export const Saturation = z.object({ at: z.number(), proxies: z.array(ProxySaturation) });
export type Saturation = z.infer<typeof Saturation>;

/** Where it is nearly full, and full: of a processor or a circuit breaker. */
export const saturationThresholds = { degraded: 0.7, failing: 0.9 } as const;

export const saturationTone = (share: number | null): "plain" | "warn" | "bad" =>
  share === null || share < saturationThresholds.degraded
    ? "plain"
    : share < saturationThresholds.failing
      ? "warn"
      : "bad";
