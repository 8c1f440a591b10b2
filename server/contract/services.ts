import { z } from "zod";
import { Health, Signals } from "./graph.ts";

export const ServiceVersion = z.object({
  version: z.string(),
  /** Subset of the DestinationRule that selects exactly this version, if any. */
  subset: z.string().nullable(),
  workloads: z.array(z.string()),
  endpoints: z.array(z.object({ address: z.string(), port: z.number(), workload: z.string() })),
});
export type ServiceVersion = z.infer<typeof ServiceVersion>;

/** The registry's view of a service; served by the control plane as `GET /limpid/v1/services`. */
export const MeshService = z.object({
  namespace: z.string(),
  name: z.string(),
  hostname: z.string(),
  external: z.boolean(),
  ports: z.array(z.object({ name: z.string(), port: z.number(), protocol: z.string() })),
  versions: z.array(ServiceVersion),
  virtualServices: z.array(z.string()),
  destinationRules: z.array(z.string()),
});
export type MeshService = z.infer<typeof MeshService>;

/** `GET /api/services?window=<s>` */
export const ServiceListItem = MeshService.extend({ health: Health, signals: Signals });
export type ServiceListItem = z.infer<typeof ServiceListItem>;
export const ServiceList = z.object({ at: z.number(), windowSec: z.number(), services: z.array(ServiceListItem) });
export type ServiceList = z.infer<typeof ServiceList>;

/** Columns of equal length; one value per step, null where nothing was seen. */
export const Series = z.object({
  /** Version, or `all`. */
  version: z.string(),
  requestRate: z.array(z.number()),
  errorShare: z.array(z.number().nullable()),
  latencyMsP50: z.array(z.number().nullable()),
  latencyMsP90: z.array(z.number().nullable()),
  latencyMsP95: z.array(z.number().nullable()),
  latencyMsP99: z.array(z.number().nullable()),
});
export type Series = z.infer<typeof Series>;

/** `GET /api/services/{namespace}/{name}/metrics?window=<s>[&step=<s>]`: the service as its callers see it, whole and by version. */
export const ServiceMetrics = z.object({
  at: z.number(),
  windowSec: z.number(),
  stepSec: z.number(),
  /** Unix milliseconds of the first step's start. */
  fromMs: z.number(),
  series: z.array(Series),
  totals: z.record(z.string(), Signals),
  /** Over the last 10 s: each version's share of the service's requests, 0..1. */
  observedShares: z.record(z.string(), z.number()),
  callers: z.array(
    z.object({ app: z.string(), namespace: z.string(), version: z.string().nullable(), signals: Signals }),
  ),
});
export type ServiceMetrics = z.infer<typeof ServiceMetrics>;
