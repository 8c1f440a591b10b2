import { z } from "zod";
import { ConfigRule } from "./logs.ts";
import { XdsTypeName } from "./proxies.ts";

/** What a row comes from: the object of the config, with the place in its `spec`; null where it is of the mesh's own making. */
const Row = z.object({
  /** The xDS resource that has it, for its raw form. */
  resource: z.object({ type: XdsTypeName, name: z.string() }),
  origin: ConfigRule.nullable(),
});

/** One filter chain of a listener. */
export const ListenerRow = Row.extend({
  listener: z.string(),
  address: z.string(),
  port: z.number(),
  chain: z.string(),
  serves: z.enum(["http", "tcp", "nothing"]),
  tls: z.enum(["none", "simple", "mutual"]),
  /** Route configuration, or the cluster of a TCP proxy; empty: told in the chain itself. */
  to: z.string(),
  /** Envoy's names of its HTTP or network filters, in their order. */
  filters: z.array(z.string()),
});
export type ListenerRow = z.infer<typeof ListenerRow>;

export const RouteRow = Row.extend({
  table: z.string(),
  virtualHost: z.string(),
  domains: z.array(z.string()),
  name: z.string(),
  /** `prefix /api`, and the names of headers and query parameters that it asks for. */
  match: z.string(),
  does: z.string(),
  to: z.string(),
});
export type RouteRow = z.infer<typeof RouteRow>;

export const ClusterRow = Row.extend({
  cluster: z.string(),
  host: z.string(),
  port: z.string(),
  subset: z.string(),
  direction: z.string(),
  discovery: z.string(),
  /** Endpoints that it has; null: they are found as requests come. */
  endpoints: z.number().nullable(),
  healthy: z.number().nullable(),
});
export type ClusterRow = z.infer<typeof ClusterRow>;

export const EndpointRow = Row.extend({
  cluster: z.string(),
  address: z.string(),
  workload: z.string(),
  locality: z.string(),
  health: z.string(),
  weight: z.number(),
  priority: z.number(),
  tls: z.string(),
});
export type EndpointRow = z.infer<typeof EndpointRow>;

/** `GET /api/proxies/{id}/tables`: what a proxy has in force, as rows. */
export const ProxyTables = z.object({
  id: z.string(),
  listeners: z.array(ListenerRow),
  routes: z.array(RouteRow),
  clusters: z.array(ClusterRow),
  endpoints: z.array(EndpointRow),
  /** Rows that were left out, of all four. */
  more: z.number(),
});
export type ProxyTables = z.infer<typeof ProxyTables>;

export const logLevels = ["trace", "debug", "info", "warning", "error", "critical", "off"] as const;
export const LogLevel = z.enum(logLevels);
export type LogLevel = z.infer<typeof LogLevel>;

/** `GET /api/proxies/{id}/admin`; `PUT /api/proxies/{id}/log-level` with `{level}`, null for how it was started, answers the same. */
export const ProxyAdmin = z.object({
  /** Why its admin page can't be asked; null: it can. */
  problem: z.string().nullable(),
  /** Of all its loggers; `mixed` where they differ. */
  logLevel: z.string().nullable(),
  /** How it was started. */
  usualLevel: z.string().nullable(),
  version: z.string().nullable(),
  state: z.string().nullable(),
  uptimeSec: z.number().nullable(),
});
export type ProxyAdmin = z.infer<typeof ProxyAdmin>;

/** `GET /api/proxies/{id}/stats?filter=`: counters, gauges and histograms by Envoy's names. */
export const ProxyStats = z.object({
  problem: z.string().nullable(),
  stats: z.array(z.object({ name: z.string(), value: z.string() })),
  more: z.number(),
});
export type ProxyStats = z.infer<typeof ProxyStats>;
