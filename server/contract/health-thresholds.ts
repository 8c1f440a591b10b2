import { z } from "zod";

const Thresholds = z.object({ degraded: z.number(), failing: z.number() });

/** From where on a figure is degraded, and failing: shares of 0..1, and milliseconds. */
export const HealthThresholds = z.object({ errors: Thresholds, clientErrors: Thresholds, latencyMsP95: Thresholds });
export type HealthThresholds = z.infer<typeof HealthThresholds>;

/** What an object says of its own; what is left out is as elsewhere. */
const Ordered = Thresholds.refine(({ degraded, failing }) => failing >= degraded, "failing must not be below degraded");
const Shares = Ordered.refine(({ degraded, failing }) => degraded >= 0 && failing <= 1, "must be shares of 0 to 1");
export const PartialThresholds = z.strictObject({
  errors: Shares.optional(),
  clientErrors: Shares.optional(),
  latencyMsP95: Ordered.refine(({ degraded }) => degraded >= 1, "must be milliseconds, 1 or more").optional(),
});
export type PartialThresholds = z.infer<typeof PartialThresholds>;

/**
 * `GET /api/thresholds[?namespace=&name=]` of a service, or of the mesh; `PUT …[&dryRun=true]` with `own` in its body sets them. `usual`: what counts
 * where `own` says nothing.
 */
export const ThresholdSettings = z.object({ own: PartialThresholds, usual: HealthThresholds });
export type ThresholdSettings = z.infer<typeof ThresholdSettings>;

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
