import { LatencySketch } from "../lib/latency-sketch.ts";
import { changedLabels } from "../wire/metric-rules.ts";
import type { Peer } from "../wire/peer.ts";
import { flagNames } from "../wire/response-flags.ts";
import { parseServiceHost } from "./cluster-name.ts";
import type { RollupEntry } from "./store.ts";

/** What labels are made of. */
type Labelled = Pick<RollupEntry, "edge" | "code" | "flags" | "grpcStatus">;
const labelled = ({ edge, code, flags, grpcStatus }: RollupEntry): Labelled => ({ edge, code, flags, grpcStatus });

/** One combination of labels. */
interface Series {
  of: Labelled;
  /** As they are where nothing is changed. */
  labels: string;
  requests: number;
  requestBytes: number;
  responseBytes: number;
  requestMessages: number;
  responseMessages: number;
  latency: LatencySketch;
  /** Requests by the size of their bodies and heads: counts of the buckets below, one more for what is larger. */
  requestSizes: number[];
  responseSizes: number[];
}

/** Envoy's own, which Istio's proxies show. https://github.com/envoyproxy/envoy/blob/main/source/common/stats/histogram_impl.cc */
const bounds = [
  0.5, 1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000, 300_000, 600_000, 1_800_000,
  3_600_000,
];
const maxSeries = 20_000;

/**
 * Istio's standard metrics, counted from the roll-up, so that they are there for every proxy that sends its access logs, whatever it shows itself.
 * Totals since the collector began. Sizes are told as the mean of the requests of one edge, code and second: a roll-up has no more than their sum.
 * https://istio.io/latest/docs/reference/config/metrics/
 */
export class IstioMetrics {
  readonly #series = new Map<string, Series>();
  /** Entries that had no place any more. */
  #overflowed = 0;

  add(entries: readonly RollupEntry[]): void {
    for (const entry of entries) {
      // A gateway's client has no proxy: Istio's gateways tell of the call onward only.
      if (entry.edge.gateway && entry.edge.reporter === "destination") continue;
      const series = this.#of(entry);
      if (series === undefined) continue;
      series.requests += entry.count;
      series.requestBytes += entry.requestBytes;
      series.responseBytes += entry.responseBytes;
      series.requestMessages += entry.requestMessages;
      series.responseMessages += entry.responseMessages;
      series.latency.merge(entry.latency);
      addTo(series.requestSizes, entry.requestBytes, entry.count);
      addTo(series.responseSizes, entry.responseBytes, entry.count);
    }
  }

  /** Prometheus text format 0.0.4. */
  render(): string {
    const all = [...this.#series.values()];
    const http = all.filter(({ of }) => of.edge.protocol !== "tcp");
    const tcp = all.filter(({ of }) => of.edge.protocol === "tcp");
    const lines: string[] = [];
    const counter = (name: string, metric: string, of: readonly Series[], value: (series: Series) => number) => {
      lines.push(`# TYPE ${name} counter`);
      for (const [labels, sum] of summed(metric, of, (series) => [value(series)]))
        lines.push(`${name}{${labels}} ${sum[0]}`);
    };
    counter("istio_requests_total", "REQUEST_COUNT", http, (series) => series.requests);
    const histogram = (
      name: string,
      metric: string,
      counts: (of: Series) => readonly number[],
      sum: (of: Series) => number,
    ) =>
      writeHistogram(
        lines,
        name,
        summed(metric, http, (series) => [...counts(series), sum(series), series.requests]),
      );
    histogram(
      "istio_request_duration_milliseconds",
      "REQUEST_DURATION",
      (of) => of.latency.countsUpTo(bounds),
      (of) => of.latency.sum(),
    );
    histogram(
      "istio_request_bytes",
      "REQUEST_SIZE",
      (of) => cumulative(of.requestSizes),
      (of) => of.requestBytes,
    );
    histogram(
      "istio_response_bytes",
      "RESPONSE_SIZE",
      (of) => cumulative(of.responseSizes),
      (of) => of.responseBytes,
    );
    // Who is called counts the messages of a call.
    const grpc = all.filter(({ of: { edge } }) => edge.protocol === "grpc" && edge.reporter === "destination");
    counter("istio_request_messages_total", "GRPC_REQUEST_MESSAGES", grpc, (series) => series.requestMessages);
    counter("istio_response_messages_total", "GRPC_RESPONSE_MESSAGES", grpc, (series) => series.responseMessages);
    // A connection is told of when it is over: opened and closed are one.
    counter("istio_tcp_connections_opened_total", "TCP_OPENED_CONNECTIONS", tcp, (series) => series.requests);
    counter("istio_tcp_connections_closed_total", "TCP_CLOSED_CONNECTIONS", tcp, (series) => series.requests);
    counter("istio_tcp_received_bytes_total", "TCP_RECEIVED_BYTES", tcp, (series) => series.requestBytes);
    counter("istio_tcp_sent_bytes_total", "TCP_SENT_BYTES", tcp, (series) => series.responseBytes);
    lines.push("# TYPE limpid_istio_metrics_overflowed_total counter");
    lines.push(`limpid_istio_metrics_overflowed_total ${this.#overflowed}`);
    return `${lines.join("\n")}\n`;
  }

  #of(entry: RollupEntry): Series | undefined {
    const { source = "", destination = "" } = entry.edge.principals ?? {};
    const key = `${entry.edgeId}\n${entry.code}\n${entry.flags}\n${entry.grpcStatus}\n${source}\n${destination}`;
    const known = this.#series.get(key);
    if (known !== undefined) {
      // The newest is what is meant of all that was counted.
      if (known.of.edge.metrics !== entry.edge.metrics) known.of = labelled(entry);
      return known;
    }
    if (this.#series.size >= maxSeries) {
      this.#overflowed += entry.count;
      return undefined;
    }
    const none = () => new Array<number>(bounds.length + 1).fill(0);
    const bytes = { requestBytes: 0, responseBytes: 0, requestMessages: 0, responseMessages: 0 };
    const sums = { requests: 0, ...bytes, latency: new LatencySketch() };
    const series = {
      of: labelled(entry),
      labels: textOf(labelsOf(entry)),
      ...sums,
      requestSizes: none(),
      responseSizes: none(),
    };
    this.#series.set(key, series);
    return series;
  }
}

function addTo(sizes: number[], bytes: number, count: number): void {
  const at = bounds.findIndex((bound) => bytes / count <= bound);
  const bucket = at < 0 ? bounds.length : at;
  sizes[bucket] = (sizes[bucket] ?? 0) + count;
}

function cumulative(counts: readonly number[]): number[] {
  let sum = 0;
  return bounds.map((_, i) => {
    sum += counts[i] ?? 0;
    return sum;
  });
}

/** The values of a metric by its labels, as Telemetry wants them: where a label is left out several are one. */
function summed(
  metric: string,
  all: readonly Series[],
  valuesOf: (series: Series) => readonly number[],
): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  for (const series of all) {
    const change = series.of.edge.metrics?.get(metric);
    if (change?.disabled) continue;
    const labels = change ? textOf(changedLabels(labelsOf(series.of), change, () => undefined)) : series.labels;
    const values = valuesOf(series);
    const before = found.get(labels);
    found.set(labels, before ? values.map((value, i) => value + (before[i] ?? 0)) : values);
  }
  return found;
}

/** Each with its counts by bound, its sum and its count. */
function writeHistogram(lines: string[], name: string, all: ReadonlyMap<string, readonly number[]>): void {
  lines.push(`# TYPE ${name} histogram`);
  for (const [labels, values] of all) {
    const [sum = 0, count = 0] = values.slice(bounds.length);
    for (const [i, bound] of bounds.entries()) lines.push(`${name}_bucket{${labels},le="${bound}"} ${values[i] ?? 0}`);
    lines.push(
      `${name}_bucket{${labels},le="+Inf"} ${count}`,
      `${name}_sum{${labels}} ${sum}`,
      `${name}_count{${labels}} ${count}`,
    );
  }
}

const unknown = "unknown";

function labelsOf({ edge, code, flags, grpcStatus }: Labelled): [string, string][] {
  const tcp = edge.protocol === "tcp";
  const service = parseServiceHost(edge.service);
  const names = flagNames(flags).join(",");
  return [
    ["reporter", edge.reporter],
    ...sideLabels("source", edge.source, edge.principals?.source),
    ...sideLabels("destination", edge.destination, edge.principals?.destination),
    ["destination_service", edge.service],
    ["destination_service_name", service?.name ?? edge.service],
    ["destination_service_namespace", service?.namespace ?? (edge.destination.namespace || unknown)],
    ["request_protocol", edge.protocol],
    ...(tcp ? [] : ([["response_code", String(code)]] as [string, string][])),
    ...(tcp ? [] : ([["grpc_response_status", grpcStatus < 0 ? "" : String(grpcStatus)]] as [string, string][])),
    ["response_flags", names === "" ? "-" : names],
    ["connection_security_policy", edge.reporter === "source" ? unknown : edge.mtls ? "mutual_tls" : "none"],
  ];
}

const textOf = (labels: readonly (readonly [string, string])[]): string =>
  labels.map(([name, value]) => `${name}="${escaped(value)}"`).join(",");

const sideLabels = (side: "source" | "destination", peer: Peer, principal = ""): [string, string][] => [
  [`${side}_workload`, peer.workload || unknown],
  [`${side}_workload_namespace`, peer.namespace || unknown],
  [`${side}_principal`, principal || unknown],
  [`${side}_app`, peer.app || unknown],
  [`${side}_version`, peer.version || unknown],
  [`${side}_canonical_service`, peer.app || unknown],
  [`${side}_canonical_revision`, peer.version || unknown],
];

const escaped = (value: string): string => value.replace(/\\/g, "\\\\").replace(/"/g, '\\"').replace(/\n/g, "\\n");
