import { LatencySketch } from "../../../lib/latency-sketch.ts";
import type { LogRecord } from "../../../telemetry/log-record.ts";
import { type MetricEntry, type MetricSeries, seriesId } from "../../../telemetry/metric-record.ts";
import { type EdgeKey, edgeId, noGrpcStatus, type TrafficRecord, unknownPeer } from "../../../telemetry/record.ts";
import { noSpanDetail, type SpanRecord } from "../../../telemetry/span.ts";
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
  grpcStatus?: number;
  /** Milliseconds, one per request. */
  latencies?: number[];
}

export function rollup(
  key: EdgeKey,
  second: number,
  { code = 200, flags = 0, grpcStatus = noGrpcStatus, latencies = [10] }: RollupInput = {},
): RollupEntry {
  const latency = new LatencySketch();
  for (const value of latencies) latency.add(value);
  return {
    edge: key,
    edgeId: edgeId(key),
    second,
    code,
    flags,
    grpcStatus,
    count: latencies.length,
    requestBytes: 100 * latencies.length,
    responseBytes: 1000 * latencies.length,
    requestMessages: 0,
    responseMessages: 0,
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
    startedAtMs: 0,
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
    logs: [],
    metrics: [],
    metricStates: [],
    senders: new Map(),
    claims: new Map(),
    ...changes,
    collector: { ...state, ...changes.collector },
  };
}

export const sample = (key: EdgeKey, timeMs: number, changes: Partial<TrafficRecord> = {}): TrafficRecord => ({
  timeMs,
  edge: key,
  count: 1,
  detailed: true,
  proxy: "sidecar~127.0.1.1~productpage-v1.default~default.svc.cluster.local",
  code: 200,
  grpcStatus: noGrpcStatus,
  flags: 0,
  durationMs: 12.5,
  requestBytes: 100,
  responseBytes: 1000,
  requestMessages: 0,
  responseMessages: 0,
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
  resource: {},
  ...noSpanDetail,
  ...changes,
});

export const log = (atUs: number, changes: Partial<LogRecord> = {}): LogRecord => ({
  atUs,
  service: "reviews",
  severity: 9,
  severityText: "INFO",
  body: "a line",
  eventName: "",
  traceId: "",
  spanId: "",
  scope: "app",
  scopeAttributes: {},
  attributes: {},
  resource: {},
  ...changes,
});

export const series: MetricSeries = {
  name: "http.requests",
  kind: "counter",
  unit: "1",
  description: "requests",
  service: "shop",
  instance: "shop-1",
  labels: { route: "/" },
};

export const metric = (of: MetricSeries, second: number, value: number): MetricEntry => ({
  series: of,
  seriesId: seriesId(of),
  second,
  count: 1,
  sum: value,
  min: value,
  max: value,
  last: value,
  spread: undefined,
});
