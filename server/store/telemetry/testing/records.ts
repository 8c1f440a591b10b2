import { LatencySketch } from "../../../lib/latency-sketch.ts";
import { type EdgeKey, edgeId, type TrafficRecord, unknownPeer } from "../../../telemetry/record.ts";
import type { SpanRecord } from "../../../telemetry/span.ts";
import type { CollectorState, RollupEntry, TelemetryBatch } from "../../../telemetry/store.ts";
import type { Peer } from "../../../wire/peer.ts";

export const peer = (app: string, version = "v1", workload = `${app}-${version}`): Peer => ({
  workload,
  namespace: "default",
  app,
  version,
});

export const host = (app: string): string => `${app}.default.svc.cluster.local`;

/** `edge("productpage", "reviews/v2")`; an empty source is an unknown client. */
export function edge(from: string, to: string, changes: Partial<EdgeKey> = {}): EdgeKey {
  const [sourceApp = "", sourceVersion] = from.split("/");
  const [app = "", version] = to.split("/");
  return {
    reporter: "source",
    gateway: false,
    source: sourceApp === "" ? unknownPeer : peer(sourceApp, sourceVersion),
    service: host(app),
    destination: peer(app, version),
    protocol: "http",
    mtls: false,
    ...changes,
  };
}

export interface RollupInput {
  code?: number;
  flags?: number;
  /** Milliseconds, one per request. */
  latencies?: number[];
}

export function rollup(
  key: EdgeKey,
  second: number,
  { code = 200, flags = 0, latencies = [10] }: RollupInput = {},
): RollupEntry {
  const latency = new LatencySketch();
  for (const value of latencies) latency.add(value);
  return {
    edge: key,
    edgeId: edgeId(key),
    second,
    code,
    flags,
    count: latencies.length,
    requestBytes: 100 * latencies.length,
    responseBytes: 1000 * latencies.length,
    latency,
  };
}

let lastBatch = 0;
export function batch(
  changes: Partial<Omit<TelemetryBatch, "collector">> & { collector?: Partial<CollectorState> },
): TelemetryBatch {
  lastBatch++;
  const state = {
    id: "collector",
    flushedAtMs: 0,
    completeUntilMs: 0,
    settledUntilMs: 0,
    freshAtMs: null,
    active: true,
  };
  return {
    id: lastBatch,
    rollups: [],
    samples: [],
    spans: [],
    ...changes,
    collector: { ...state, ...changes.collector },
  };
}

export const sample = (key: EdgeKey, timeMs: number, changes: Partial<TrafficRecord> = {}): TrafficRecord => ({
  timeMs,
  edge: key,
  code: 200,
  flags: 0,
  durationMs: 12.5,
  requestBytes: 100,
  responseBytes: 1000,
  method: "GET",
  path: "/reviews/0",
  authority: "reviews:9080",
  requestId: "r-1",
  traceId: "",
  upstreamCluster: "outbound|9080|v1|reviews.default.svc.cluster.local",
  upstreamHost: "127.0.1.3:9080",
  details: "via_upstream",
  config: "",
  ...changes,
});

export const span = (
  traceId: string,
  spanId: string,
  startUs: number,
  changes: Partial<SpanRecord> = {},
): SpanRecord => ({
  traceId,
  spanId,
  parentSpanId: "",
  service: "reviews.default",
  name: "reviews:9080/*",
  kind: 2,
  startUs,
  durationUs: 1500,
  error: false,
  attributes: { "http.status_code": "200" },
  ...changes,
});
