import { z } from "zod";

/** CSDS ConfigStatus, per xDS type. https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/status/v3/csds.proto */
export const SyncState = z.enum(["SYNCED", "STALE", "NOT_SENT", "ERROR"]);
export type SyncState = z.infer<typeof SyncState>;

export const xdsTypes = ["LDS", "RDS", "VHDS", "CDS", "EDS", "SDS", "ECDS", "RTDS"] as const;
export const XdsTypeName = z.enum(xdsTypes);
export type XdsTypeName = z.infer<typeof XdsTypeName>;

export const TypeSync = z.object({
  state: SyncState,
  resources: z.number(),
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

export const ProxySync = z.object({
  id: z.string(),
  name: z.string(),
  namespace: z.string(),
  address: z.string(),
  kind: z.enum(["sidecar", "gateway"]),
  /** As the proxy names itself: `limpid-sidecar 0.1.0`, `envoy 1.40.0`. */
  implementation: z.string(),
  protocol: z.enum(["delta", "sotw"]),
  connectedAt: z.number(),
  /** The SPIFFE id of the certificate that it came with; null: it came in plain text, and has no part in mutual TLS. */
  identity: z.string().nullable(),
  /** Null without an identity, and until one is issued. */
  certificate: ProxyCertificate.nullable(),
  types: z.record(XdsTypeName, TypeSync),
  /** Null when nobody on this dashboard's machine watches over the process. */
  usage: ProxyUsage.nullable(),
});
export type ProxySync = z.infer<typeof ProxySync>;

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
});
export type PushStatus = z.infer<typeof PushStatus>;

/** `GET /limpid/v1/push-latency`: commit → last acknowledgement, of every complete push since `sinceMs`, a day at most. */
export const PushLatency = z.object({ sinceMs: z.number(), count: z.number(), p99Ms: z.number().nullable() });
export type PushLatency = z.infer<typeof PushLatency>;
