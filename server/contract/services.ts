import { z } from "zod";
import { Gaps } from "./gaps.ts";
import { Badge, Flow, Health, ServiceLink, Signals } from "./graph.ts";
import { HealthThresholds } from "./health-thresholds.ts";

export const ServiceVersion = z.object({
  version: z.string(),
  /** Subset of the DestinationRule that selects exactly this version, if any. */
  subset: z.string().nullable(),
  workloads: z.array(z.string()),
  /** Canonical names of its workloads, by which telemetry knows them: mostly one, and mostly the service's own. */
  apps: z.array(z.string()).optional(),
  endpoints: z.array(
    z.object({
      address: z.string(),
      port: z.number(),
      workload: z.string(),
      /** What probes found (HealthCheck, or a WorkloadGroup's); absent where there are none. */
      health: z.enum(["healthy", "unhealthy"]).optional(),
      /** The WorkloadGroup that its proxy registered it for. */
      group: z.string().optional(),
    }),
  ),
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
  /** What its health is judged by, where annotations say so. */
  thresholds: HealthThresholds.optional(),
});
export type MeshService = z.infer<typeof MeshService>;

/** Which of a VirtualService's lists its connections meet. */
export type RuleLayer = "http" | "tcp";

/** Protocols of ports whose connections are carried as they are, and met by `tcp` rules. */
const carried = new Set(["TCP", "Mongo", "MySQL", "Redis"]);

/** `tcp` where nothing of a service speaks HTTP, nor TLS that tells its server's name. */
export const ruleLayerOf = ({ ports }: Pick<MeshService, "ports">): RuleLayer =>
  ports.length > 0 && ports.every(({ protocol }) => carried.has(protocol)) ? "tcp" : "http";

type Named = Pick<MeshService, "namespace" | "name" | "hostname">;

/** A Service's own name; for a ServiceEntry, whose name may be shared by several hosts, the host. */
export const serviceTitle = ({ namespace, name, hostname }: Named): string =>
  isKubernetesName({ namespace, name, hostname }) ? name : hostname;

const isKubernetesName = ({ namespace, name, hostname }: Named): boolean =>
  hostname.startsWith(`${name}.${namespace}.svc.`);

export const serviceLink = (service: Named): ServiceLink => ({
  namespace: service.namespace,
  hostname: service.hostname,
  name: serviceTitle(service),
});

/**
 * The service that an address means: by its hostname; or by the name of its resource, as addresses of before have it, which is a Service's
 * before a ServiceEntry's.
 */
export function findService<S extends Named>(
  services: readonly S[],
  namespace: string,
  hostnameOrName: string,
): S | undefined {
  const own = services.filter((service) => service.namespace === namespace);
  return (
    own.find(({ hostname }) => hostname === hostnameOrName) ??
    own.find((service) => service.name === hostnameOrName && isKubernetesName(service)) ??
    own.find(({ name }) => name === hostnameOrName)
  );
}

/** How a service did over what there are records of in the window, in about thirty steps; null without a request. */
export const Trend = z.object({
  /** Null where nothing was recorded. */
  requestRate: z.array(z.number().nullable()),
  latencyMsP95: z.array(z.number().nullable()),
});
export type Trend = z.infer<typeof Trend>;

/** Of a service's workloads: a proxy that should be connected, and is not. Times are Unix milliseconds. */
export const MissingProxy = z.object({
  id: z.string(),
  name: z.string(),
  /** Null: it was never seen. */
  disconnectedAt: z.number().nullable(),
  heldRevision: z.number().nullable(),
});
export type MissingProxy = z.infer<typeof MissingProxy>;

/** `GET /api/services?window=<s>` */
export const ServiceListItem = MeshService.extend({
  health: Health,
  signals: Signals,
  trend: Trend,
  /** Where config acts on calls to it. */
  badges: z.array(Badge),
  /** Left out while the fleet can't be asked. */
  missingProxies: z.array(MissingProxy).optional(),
});
export type ServiceListItem = z.infer<typeof ServiceListItem>;
export const ServiceList = z.object({ at: z.number(), windowSec: z.number(), services: z.array(ServiceListItem) });
export type ServiceList = z.infer<typeof ServiceList>;

/** Columns of equal length; one value per step, null where nothing was seen. */
export const Series = z.object({
  /** Version, or `all`. */
  version: z.string(),
  /** 0 where records exist and nobody called; null before the first record, and in gaps. */
  requestRate: z.array(z.number().nullable()),
  errorShare: z.array(z.number().nullable()),
  latencyMsP50: z.array(z.number().nullable()),
  latencyMsP90: z.array(z.number().nullable()),
  latencyMsP95: z.array(z.number().nullable()),
  latencyMsP99: z.array(z.number().nullable()),
});
export type Series = z.infer<typeof Series>;

/** `GET /api/outbound?namespace=&app=[&workload=]&window=<s>[&at=<ms>]`: what an application, or one of its workloads, calls. Series are by hostname. */
export const OutboundMetrics = z.object({
  at: z.number(),
  fromMs: z.number(),
  stepSec: z.number(),
  dataFromMs: z.number(),
  gaps: Gaps,
  /** Of the most called; `version` is the hostname. */
  series: z.array(Series),
  destinations: z.array(z.object({ hostname: z.string(), service: ServiceLink.nullable(), signals: Signals })),
});
export type OutboundMetrics = z.infer<typeof OutboundMetrics>;

/** `GET /api/services/{namespace}/{name}/metrics?window=<s>[&step=<s>]`: the service as its callers see it, whole and by version. */
export const ServiceMetrics = z.object({
  at: z.number(),
  windowSec: z.number(),
  stepSec: z.number(),
  /** Unix milliseconds of the first step's start. */
  fromMs: z.number(),
  /** Since when there are records in the window, Unix milliseconds: rates are over what follows. `fromMs` or earlier: over all of it. */
  dataFromMs: z.number(),
  gaps: Gaps,
  /** `all` first, then the versions in their natural order. */
  series: z.array(Series),
  totals: z.record(z.string(), Signals),
  /** Over the last 10 s: each version's share of the service's requests, 0..1. */
  observedShares: z.record(z.string(), z.number()),
  callers: z.array(
    z.object({
      app: z.string(),
      namespace: z.string(),
      version: z.string().nullable(),
      /** It is a gateway: whoever calls by it comes from outside of the mesh. */
      gateway: z.boolean(),
      /** The service that the caller is, where the registry has one. */
      service: ServiceLink.nullable(),
      signals: Signals,
      /** Of those that open TCP connections. */
      bytesPerSecond: Flow.optional(),
    }),
  ),
  /** What each workload behind it got, by its callers' word. A workload that was not reached has no entry. */
  workloads: z.array(z.object({ namespace: z.string(), workload: z.string(), signals: Signals })),
  /** Of TCP connections, in which requests are not told apart; left out where there was none. */
  connections: z
    .object({
      /** There was nothing else: what the rest says of requests is of connections, and of latency there is none. */
      only: z.boolean(),
      /** Counted when a connection ends. */
      bytesPerSecond: Flow,
      /** The same by step. */
      sent: z.array(z.number().nullable()),
      received: z.array(z.number().nullable()),
    })
    .optional(),
});
export type ServiceMetrics = z.infer<typeof ServiceMetrics>;
