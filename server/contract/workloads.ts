import { z } from "zod";
import { Gaps } from "./gaps.ts";
import { Health, ServiceLink, Signals } from "./graph.ts";
import { Series } from "./services.ts";

/** What a workload's port takes, and which policy says so; null: none, and PERMISSIVE is what is usual. */
export const PortMutualTls = z.object({
  port: z.number(),
  mode: z.enum(["STRICT", "PERMISSIVE", "DISABLE"]),
  by: z.object({ namespace: z.string(), name: z.string(), field: z.string() }).nullable(),
});

/** One workload as the registry has it. `GET /limpid/v1/workloads` */
export const WorkloadView = z.object({
  namespace: z.string(),
  name: z.string(),
  app: z.string(),
  version: z.string(),
  /** Empty: not known. */
  serviceAccount: z.string(),
  labels: z.record(z.string(), z.string()),
  /** The WorkloadGroup that its proxy registered it for; absent: somebody wrote its WorkloadEntry. */
  group: z.string().optional(),
  services: z.array(ServiceLink),
  endpoints: z.array(
    z.object({
      address: z.string(),
      port: z.number(),
      /** What probes found; absent where there are none. */
      health: z.enum(["healthy", "unhealthy"]).optional(),
    }),
  ),
  mtls: z.array(PortMutualTls),
});
export type WorkloadView = z.infer<typeof WorkloadView>;
export const WorkloadViews = z.object({
  /** Of the mesh's identities. */
  trustDomain: z.string(),
  workloads: z.array(WorkloadView),
});
export type WorkloadViews = z.infer<typeof WorkloadViews>;

/** What it is asked and what it asks others; null: nothing in the window. */
export const WorkloadItem = WorkloadView.extend({
  kind: z.enum(["workload", "gateway"]),
  health: Health,
  inbound: Signals.nullable(),
  outbound: Signals.nullable(),
  /** Share of what it is asked that came over mutual TLS, 0 to 1; null: nothing came. */
  mtlsShare: z.number().nullable(),
});
export type WorkloadItem = z.infer<typeof WorkloadItem>;

/** `GET /api/workloads?window=<s>` */
export const WorkloadList = z.object({ at: z.number(), windowSec: z.number(), workloads: z.array(WorkloadItem) });
export type WorkloadList = z.infer<typeof WorkloadList>;

/** A node that it calls, or that calls it. */
export const WorkloadPeer = z.object({
  id: z.string(),
  namespace: z.string(),
  app: z.string(),
  version: z.string().nullable(),
  kind: z.enum(["workload", "gateway", "source", "external", "unknown"]),
  protocol: z.enum(["http", "grpc", "tcp"]),
  signals: Signals,
});
export type WorkloadPeer = z.infer<typeof WorkloadPeer>;

/** `GET /api/workloads/{namespace}/{name}/metrics?window=<s>` */
export const WorkloadMetrics = z.object({
  at: z.number(),
  windowSec: z.number(),
  stepSec: z.number(),
  fromMs: z.number(),
  /** As in `ServiceMetrics`. */
  dataFromMs: z.number(),
  gaps: Gaps,
  inbound: z.object({ series: Series, peers: z.array(WorkloadPeer) }),
  outbound: z.object({ series: Series, peers: z.array(WorkloadPeer) }),
});
export type WorkloadMetrics = z.infer<typeof WorkloadMetrics>;
