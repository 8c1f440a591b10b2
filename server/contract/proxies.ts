import { z } from "zod";

/** CSDS ConfigStatus, per xDS type. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto */
export const SyncState = z.enum(["SYNCED", "STALE", "NOT_SENT", "ERROR"]);
export type SyncState = z.infer<typeof SyncState>;

export const xdsTypes = ["LDS", "RDS", "VHDS", "CDS", "EDS", "SDS", "ECDS", "RTDS"] as const;
export const XdsTypeName = z.enum(xdsTypes);
export type XdsTypeName = z.infer<typeof XdsTypeName>;

export const TypeSync = z.object({
  state: SyncState,
  /** How many it is to hold. */
  resources: z.number(),
  /** How many of them it has acknowledged as they are to be. */
  acknowledged: z.number().optional(),
  /** Since when it is in this state, Unix milliseconds. */
  sinceMs: z.number().nullable(),
  /** Refused resources, each with the proxy's own words and the config it came from. */
  errors: z.array(
    z.object({
      resource: z.string(),
      detail: z.string(),
      origin: z.string().nullable(),
      refusedAtMs: z.number().nullable(),
      /** Since when the version before it is in force; null: there was none. */
      inForceSinceMs: z.number().nullable(),
    }),
  ),
});
export type TypeSync = z.infer<typeof TypeSync>;

/** What a proxy's process costs, as its machine counts it; so it is the same for every kind of proxy. */
export const ProxyUsage = z.object({
  /** Cores in use: 0.031 is 3.1 % of one. Null until it was seen twice. */
  cpu: z.number().nullable(),
  /** Resident set. */
  memoryBytes: z.number(),
});
export type ProxyUsage = z.infer<typeof ProxyUsage>;

/** The certificate that it was given to show to other proxies; never its key. */
export const ProxyCertificate = z.object({
  /** Hexadecimal. */
  serial: z.string(),
  issuer: z.string(),
  /** Unix milliseconds. */
  notBeforeMs: z.number(),
  notAfterMs: z.number(),
});
export type ProxyCertificate = z.infer<typeof ProxyCertificate>;

/** A time without a stream to the control plane, Unix milliseconds. */
export const ProxyAbsence = z.object({
  from: z.number(),
  to: z.number(),
  /** Who was away: the control plane, when it was started again and the proxy had been connected. */
  whose: z.enum(["proxy", "control-plane"]),
});
export type ProxyAbsence = z.infer<typeof ProxyAbsence>;

export const ProxySync = z.object({
  id: z.string(),
  name: z.string(),
  namespace: z.string(),
  address: z.string(),
  /** Canonical name and revision, by which telemetry and the graph know it. */
  app: z.string(),
  version: z.string(),
  kind: z.enum(["sidecar", "gateway"]),
  /** As the proxy names itself: `limpid-sidecar 0.1.0`, `envoy 1.40.0`. */
  implementation: z.string(),
  protocol: z.enum(["delta", "sotw"]),
  /** It has a stream to the control plane. One without is expected: it had one, or somebody says that it should. */
  connected: z.boolean(),
  /** Unix milliseconds; of one that is gone, of its last stream. 0: never seen. */
  connectedAt: z.number(),
  /** Since when it is gone, Unix milliseconds; null while it is connected, and when it was never seen. */
  disconnectedAt: z.number().nullable(),
  /** The last ones that ended, oldest first, over restarts of the control plane too. Left out: none is known. */
  absences: z.array(ProxyAbsence).optional(),
  /** The newest config revision that it has answered for; null: not known. */
  heldRevision: z.number().nullable(),
  /** What of its start is otherwise by now, by the fields of ProxyConfig: it has to be started again. Left out: nothing. */
  restart: z.array(z.string()).optional(),
  /** The SPIFFE id of the certificate that it came with; null: it came in plain text, and has no part in mutual TLS. */
  identity: z.string().nullable(),
  /** Null without an identity, and until one is issued. */
  certificate: ProxyCertificate.nullable(),
  types: z.record(XdsTypeName, TypeSync),
  /** Null when nobody on this dashboard's machine watches over the process. */
  usage: ProxyUsage.nullable(),
});
export type ProxySync = z.infer<typeof ProxySync>;

/** A proxy that the control plane remembers, over its own restarts too, until it is forgotten by age, by hand or with its workload. */
export const KnownProxy = ProxySync.pick({
  id: true,
  name: true,
  namespace: true,
  address: true,
  app: true,
  version: true,
  kind: true,
  implementation: true,
  protocol: true,
  connected: true,
  connectedAt: true,
  disconnectedAt: true,
  absences: true,
  heldRevision: true,
  identity: true,
  restart: true,
}).extend({
  /** Where it shows its metrics to Prometheus, at its address; null: it does not say. */
  metricsPort: z.number().nullable().default(null),
});
export type KnownProxy = z.infer<typeof KnownProxy>;

/** `GET /limpid/v1/proxies`; `DELETE /limpid/v1/proxies/{id}` forgets one that is not connected. */
export const KnownProxyList = z.object({ proxies: z.array(KnownProxy) });
export type KnownProxyList = z.infer<typeof KnownProxyList>;

/** `GET /api/proxies` */
export const ProxyList = z.object({ at: z.number(), revision: z.number(), proxies: z.array(ProxySync) });
export type ProxyList = z.infer<typeof ProxyList>;

export const ProxyResource = z.object({
  type: XdsTypeName,
  name: z.string(),
  /** Of what is in force; empty: nothing yet. */
  version: z.string(),
  state: SyncState,
  updatedAt: z.number().nullable(),
  error: z.string().nullable(),
});
export type ProxyResource = z.infer<typeof ProxyResource>;

/** `GET /api/proxies/{id}/config`: the resources it was sent, from CSDS, without their contents. */
export const ProxyConfigDump = z.object({ id: z.string(), at: z.number(), resources: z.array(ProxyResource) });
export type ProxyConfigDump = z.infer<typeof ProxyConfigDump>;

/** `GET /api/proxies/{id}/config?type=<LDS…>&name=<resource>`: one of them with its contents as proto JSON. */
export const ProxyResourceContents = ProxyResource.extend({
  /** What is in force, or was sent last. */
  config: z.unknown(),
  /** What it should have and refused; null unless ERROR. */
  refusedConfig: z.unknown(),
});
export type ProxyResourceContents = z.infer<typeof ProxyResourceContents>;

/** `GET /limpid/v1/pushes/{revision|latest}`: how a revision reaches the fleet. Milliseconds count from the commit. */
export const PushStatus = z.object({
  revision: z.number(),
  committedAt: z.number(),
  author: z.string(),
  reason: z.string().nullable(),
  /** Every affected proxy has answered, with or without errors. */
  complete: z.boolean(),
  /** Commit → last acknowledgement; null until complete. */
  ms: z.number().nullable(),
  proxies: z.array(
    z.object({
      id: z.string(),
      name: z.string(),
      state: z.enum(["pending", "acked", "nacked", "gone"]),
      ms: z.number().nullable(),
      error: z.string().nullable(),
    }),
  ),
  /** Who could not be told, since it is not connected: whatever it concerns of this revision goes on as before there. */
  missed: z.array(z.object({ id: z.string(), name: z.string(), disconnectedAt: z.number() })).optional(),
});
export type PushStatus = z.infer<typeof PushStatus>;

/** A push without its proxies, but those that it did not reach as it should. */
export const PushSummary = PushStatus.omit({ proxies: true, missed: true }).extend({
  proxies: z.number(),
  acked: z.number(),
  /** At most twenty; each with what it said, and the object that it is of. */
  trouble: PushStatus.shape.proxies,
});
export type PushSummary = z.infer<typeof PushSummary>;

/** `GET /limpid/v1/pushes`, `GET /api/pushes`: those that this control plane remembers, the newest first. */
export const PushHistory = z.object({ pushes: z.array(PushSummary) });
export type PushHistory = z.infer<typeof PushHistory>;

/** `GET /limpid/v1/push-latency`: commit → last acknowledgement, of every complete push since `sinceMs`, a day at most. */
export const PushLatency = z.object({ sinceMs: z.number(), count: z.number(), p99Ms: z.number().nullable() });
export type PushLatency = z.infer<typeof PushLatency>;
