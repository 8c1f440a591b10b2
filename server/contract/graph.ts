import { z } from "zod";
import { Gaps } from "./gaps.ts";
import { HealthThresholds } from "./health-thresholds.ts";

export const Health = z.enum(["healthy", "degraded", "failing", "idle"]);
export type Health = z.infer<typeof Health>;

/** The golden signals over a window. Rates are per second; shares 0..1; latencies in milliseconds, null without a request. */
export const Signals = z.object({
  /** What they are judged by, where that is not what is usual. */
  thresholds: HealthThresholds.optional(),
  requestRate: z.number(),
  /** 5xx, no response though the caller waited, a gRPC status but OK, a TCP connection that failed. */
  errorShare: z.number(),
  clientErrorShare: z.number(),
  latencyMsP50: z.number().nullable(),
  latencyMsP90: z.number().nullable(),
  latencyMsP95: z.number().nullable(),
  latencyMsP99: z.number().nullable(),
});
export type Signals = z.infer<typeof Signals>;

/**
 * What just happened, where that is worse than the window as a whole: health goes by it, so that a fault is seen in seconds, and not when half
 * a window is full of it.
 */
export const Recent = z.object({ windowSec: z.number(), requestRate: z.number(), errorShare: z.number() });
export type Recent = z.infer<typeof Recent>;

export const Badge = z.enum([
  "split",
  "fault",
  "mirror",
  "circuit-breaker",
  "timeout",
  "retry",
  "gateway",
  "proxy-gone",
]);
export type Badge = z.infer<typeof Badge>;

/** A service by what it is found by, namespace and hostname; `name` is for people. */
export const ServiceLink = z.object({ namespace: z.string(), hostname: z.string(), name: z.string() });
export type ServiceLink = z.infer<typeof ServiceLink>;

export const GraphNode = z.object({
  /** `<namespace>/<app>/<version>`; stable over time. */
  id: z.string(),
  kind: z.enum(["workload", "gateway", "source", "external", "unknown"]),
  namespace: z.string(),
  app: z.string(),
  /** What people call it where it stands for something else than an app: a workload's or a service's name. */
  name: z.string().optional(),
  version: z.string().nullable(),
  workload: z.string().nullable(),
  /** The service box it stands in, when its app has more than one version: `<namespace>/<app>`. */
  box: z.string().nullable(),
  health: Health,
  /** Of what it receives; for a source, of what it sends. */
  signals: Signals,
  recent: Recent.optional(),
  badges: z.array(Badge),
  /** Faults that hit whoever calls it, by their ids. */
  faults: z.array(z.string()).optional(),
  /** The registry's services that it stands behind. */
  services: z.array(ServiceLink),
  /** The WorkloadGroup whose workloads it stands for, and what they are called; absent where it stands for anything else. */
  group: z.object({ name: z.string(), members: z.array(z.string()) }).optional(),
  /** Config exists for it, and no traffic was seen in the window. */
  idle: z.boolean(),
});
export type GraphNode = z.infer<typeof GraphNode>;

/** In a second, as the caller sees it. */
export const Flow = z.object({ sent: z.number(), received: z.number() });
export type Flow = z.infer<typeof Flow>;

export const GraphEdge = z.object({
  id: z.string(),
  source: z.string(),
  target: z.string(),
  /** Hostname of the service the call was addressed to. */
  service: z.string(),
  /** The registry's service of that hostname; null where there is none, or it can't be asked. */
  to: ServiceLink.nullable(),
  protocol: z.enum(["http", "grpc", "tcp"]),
  health: Health,
  signals: Signals,
  recent: Recent.optional(),
  /** What each reporter saw; the destination's is null when the call never reached it. */
  reported: z.object({ source: Signals.nullable(), destination: Signals.nullable() }),
  /** Requests per second by status code (`0`: no response). */
  codes: z.record(z.string(), z.number()),
  /** Requests per second by Envoy response flag. */
  flags: z.record(z.string(), z.number()),
  /** Calls per second by gRPC status (`0`: OK, `14`: UNAVAILABLE), where any was told. */
  grpcStatuses: z.record(z.string(), z.number()).optional(),
  /** Calls per second whose caller went away before there was an answer: neither a success nor an error. */
  abandonedRate: z.number().optional(),
  /** Faults that hit these calls and not all that go to the same place, by their ids. */
  faults: z.array(z.string()).optional(),
  /** Share of requests that came over mutual TLS, 0 to 1, as the destination saw it. */
  mtls: z.number(),
  /** Of TCP connections, whose requests are not told apart: what the source sent and got back, counted when a connection ends. */
  bytesPerSecond: Flow.optional(),
  /** Of gRPC: messages that the caller sent and got back, where the proxy of who is called counted them, when a call ends. */
  messagesPerSecond: Flow.optional(),
});
export type GraphEdge = z.infer<typeof GraphEdge>;

/** `GET /api/graph?window=<s>[&at=<unix ms>]` */
export const Graph = z.object({
  /** End of the window, Unix milliseconds. */
  at: z.number(),
  /** What the rates are over: the window that was asked for, or less where the mesh is younger than that. */
  windowSec: z.number(),
  nodes: z.array(GraphNode),
  edges: z.array(GraphEdge),
  /** Requests entering the mesh per second, for the strip below the graph. */
  timeline: z.object({
    fromMs: z.number(),
    stepSec: z.number(),
    requestRate: z.array(z.number()),
    errorShare: z.array(z.number()),
    /** What is before this was never recorded: the mesh, or what is kept of it, is younger. Unix milliseconds. */
    recordedFromMs: z.number(),
    /** The collector was away, or ended without writing what it had. */
    gaps: Gaps,
  }),
  /** Newest record seen, Unix milliseconds; null before the first. */
  freshAt: z.number().nullable(),
  /** A collector that had more to tell fell silent here, Unix milliseconds, and the window ends here; null while all is well. */
  silentSince: z.number().nullable(),
});
export type Graph = z.infer<typeof Graph>;
