import { z } from "zod";

const Thresholds = z.object({ degraded: z.number(), failing: z.number() });

/** From where on a figure is degraded, and failing: shares of 0..1, and milliseconds. */
export const HealthThresholds = z.object({ errors: Thresholds, clientErrors: Thresholds, latencyMsP95: Thresholds });
export type HealthThresholds = z.infer<typeof HealthThresholds>;

/**
 * Kiali's default thresholds for HTTP, as shares: any 5xx degrades and 10 % fail; 10 % of 4xx degrade and 20 % fail. No response at
 * all counts as 5xx. https://kiali.io/docs/configuration/health/
 * Kiali has none for latency: here a p95 of a second is slow, and one of five as good as no answer, since that is what callers' own
 * timeouts make of it. A service's annotations, and the MeshConfig's, may say otherwise (server/config/health-annotations.ts).
 */
export const healthThresholds: HealthThresholds = {
  errors: { degraded: 0, failing: 0.1 },
  clientErrors: { degraded: 0.1, failing: 0.2 },
  latencyMsP95: { degraded: 1000, failing: 5000 },
};
