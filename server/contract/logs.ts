import { z } from "zod";
import { ServiceLink } from "./graph.ts";

/** A workload at one end of a request. What is not known is empty; a destination without a workload was not reached. */
export const LogPeer = z.object({
  workload: z.string(),
  namespace: z.string(),
  app: z.string(),
  version: z.string(),
  /** The service that it is, where the registry has one. */
  service: ServiceLink.nullable(),
});
export type LogPeer = z.infer<typeof LogPeer>;

/** A config object, and where in its `spec` what is meant stands: `http[2].match[0]`; empty: the object as a whole. */
export const ConfigRule = z.object({ kind: z.string(), namespace: z.string(), name: z.string(), rule: z.string() });
export type ConfigRule = z.infer<typeof ConfigRule>;

/** One request as one proxy told of it. */
export const LogEntry = z.object({
  /** Grows with the order of writing. */
  id: z.number(),
  /** End of the request, Unix milliseconds. */
  at: z.number(),
  direction: z.enum(["outbound", "inbound", "gateway"]),
  /** Node id of the proxy that told it. */
  proxy: z.string(),
  source: LogPeer,
  destination: LogPeer,
  /** Hostname of the called service. */
  service: z.string(),
  /** The same, where the registry has it. */
  serviceLink: ServiceLink.nullable(),
  protocol: z.enum(["http", "grpc", "tcp"]),
  /** Whether the call came by mutual TLS; null: whoever called does not tell. */
  mtls: z.boolean().nullable(),
  /** 0: no response, and always so for TCP. */
  code: z.number(),
  /** Null: none was told, or it is no gRPC. */
  grpcStatus: z.number().nullable(),
  /** Envoy's response flags, short: `["DI", "FI"]`. */
  flags: z.array(z.string()),
  durationMs: z.number(),
  requestBytes: z.number(),
  responseBytes: z.number(),
  method: z.string(),
  path: z.string(),
  authority: z.string(),
  requestId: z.string(),
  /** Empty: of no trace. */
  traceId: z.string(),
  upstreamCluster: z.string(),
  upstreamHost: z.string(),
  /** Envoy's response code details: `via_upstream`. */
  details: z.string(),
  /** The config object whose route it took; null: unknown. */
  config: ConfigRule.nullable(),
});
export type LogEntry = z.infer<typeof LogEntry>;

/**
 * `GET /api/logs?window=<s>|from=<unix ms>&to=<unix ms>&…&limit=<n>&before=<cursor>`, newest first. `GET /api/logs/live?…` sends what is
 * written from now on as server-sent events: `LogEvents`.
 */
export const LogPage = z.object({
  /** When it was read, Unix milliseconds. */
  at: z.number(),
  entries: z.array(LogEntry),
  /** `before` of the page that follows; null: this was the last. */
  next: z.string().nullable(),
});
export type LogPage = z.infer<typeof LogPage>;

/** The parameters that choose lines, in the order in which a form asks for them. */
export const logFilterNames = [
  "path",
  "service",
  "code",
  "errors",
  "method",
  "source",
  "destination",
  "proxy",
  "direction",
  "flag",
  "details",
  "grpc",
  "min",
  "max",
  "trace",
  "request",
] as const;
export type LogFilterName = (typeof logFilterNames)[number];

/** Lines as they were written, newest first; `leftOut`: more were written at once than are sent. */
export const LogEvents = z.object({ entries: z.array(LogEntry), leftOut: z.boolean() });
export type LogEvents = z.infer<typeof LogEvents>;
