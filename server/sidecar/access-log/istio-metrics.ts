import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { grpcStatusOf, isGrpc } from "../http/grpc.ts";
import { getJoined } from "../http/headers.ts";
import { Families, formatLabels } from "../prometheus.ts";
import type { AccessLogger, RequestRecord } from "../record.ts";
import { shortFlags } from "../response-flags.ts";
import { Histogram } from "../stats.ts";
import { addHistogram, type HistogramSnapshot, histogramSnapshot } from "../stats-snapshot.ts";
import { type CountedMetric, countedMetrics, type MetricLabels } from "./metric-labels.ts";

/** One combination of labels. */
interface Series {
  /** As they are shown; before them, where not all metrics have them, which do (`REQUEST_COUNT,REQUEST_SIZE|`). */
  labels: string;
  requests: number;
  duration: Histogram;
  requestBytes: Histogram;
  responseBytes: Histogram;
}

/** The same as it travels between processes. */
export interface SeriesSnapshot {
  readonly labels: string;
  readonly requests: number;
  readonly histograms: Readonly<Record<(typeof histogramNames)[number], HistogramSnapshot>>;
}

const histogramNames = ["duration", "requestBytes", "responseBytes"] as const;

interface Workload {
  name: string;
  namespace: string;
  canonicalService: string;
  canonicalRevision: string;
  cluster: string;
}

/** More label sets than any sane mesh has; what comes after them is counted in one series of unknowns. */
const maxSeries = 2_000;

/**
 * Istio's standard metrics, counted from finished requests: https://istio.io/latest/docs/reference/config/metrics/.
 * Who is at the other end comes from the endpoint's metadata (outbound) and from the `x-limpid-peer` header (inbound).
 */
export class IstioMetrics {
  readonly #self: Workload;
  /** By their labels. */
  readonly #series = new Map<string, Series>();
  /** By what of a request they follow from. */
  readonly #known = new Map<string, readonly Series[]>();
  #overflow: Series | undefined;
  /** Loggers so far that change something: each has its own. */
  #changed = 0;

  constructor(node: Node) {
    this.#self = workloadOfNode(node);
  }

  /** Counts requests of one direction: outbound reports as the source, inbound as the destination. `changes`: what Telemetry wants otherwise. */
  logger(direction: "inbound" | "outbound", changes?: MetricLabels): AccessLogger {
    const prefix = changes === undefined ? "" : `${++this.#changed} `;
    return { log: (record) => this.#count(record, direction, changes, prefix) };
  }

  render(): string {
    const families = new Families();
    const of = (metric: CountedMetric) => this.#all().flatMap((series) => shownIn(series, metric));
    for (const { labels, requests } of of("REQUEST_COUNT")) {
      families.add("counter", { name: "istio_requests_total", labels }, requests);
    }
    for (const { labels, duration } of of("REQUEST_DURATION"))
      families.addHistogram({ name: "istio_request_duration_milliseconds", labels }, duration);
    for (const { labels, requestBytes } of of("REQUEST_SIZE"))
      families.addHistogram({ name: "istio_request_bytes", labels }, requestBytes);
    for (const { labels, responseBytes } of of("RESPONSE_SIZE"))
      families.addHistogram({ name: "istio_response_bytes", labels }, responseBytes);
    return families.toString();
  }

  reset(): void {
    this.#series.clear();
    this.#known.clear();
    this.#overflow = undefined;
  }

  snapshot(): SeriesSnapshot[] {
    return this.#all().map(({ labels, requests, duration, requestBytes, responseBytes }) => ({
      labels,
      requests,
      histograms: {
        duration: histogramSnapshot(duration),
        requestBytes: histogramSnapshot(requestBytes),
        responseBytes: histogramSnapshot(responseBytes),
      },
    }));
  }

  /** Adds what another process of the same proxy has counted. */
  absorb(counted: readonly SeriesSnapshot[]): void {
    for (const { labels, requests, histograms } of counted) {
      const series = this.#of(labels);
      series.requests += requests;
      for (const name of histogramNames) addHistogram(series[name], histograms[name]);
    }
  }

  #of(labels: string): Series {
    const known = this.#series.get(labels);
    if (known !== undefined) return known;
    if (labels === overflowLabels || this.#series.size >= maxSeries) {
      this.#overflow ??= newSeries(overflowLabels);
      return this.#overflow;
    }
    const series = newSeries(labels);
    this.#series.set(labels, series);
    return series;
  }

  #all(): Series[] {
    const overflow = this.#overflow === undefined ? [] : [this.#overflow];
    return [...this.#series.values(), ...overflow];
  }

  #count(
    record: RequestRecord,
    direction: "inbound" | "outbound",
    changes: MetricLabels | undefined,
    prefix: string,
  ): void {
    const peer =
      direction === "outbound"
        ? String(record.upstreamHostMetadata?.istio?.workload ?? "")
        : (getJoined(record.requestHeaders, "x-limpid-peer") ?? "");
    const host = direction === "outbound" ? serviceHost(record) : "";
    // The destination alone sees who its peer has shown to be; a SPIFFE id holds no space.
    const tls = direction === "inbound" ? record.downstreamTls : undefined;
    const principals = tls?.mutual === true ? `${tls.peerUri} ${tls.localUri}` : "";
    const grpc = isGrpc(record.requestHeaders) ? `grpc ${grpcStatus(record)}` : "";
    const told = changes === undefined ? "" : `\n${changes.keyOf(record)}`;
    const key = `${prefix}${direction} ${host} ${peer} ${record.responseCode} ${record.responseFlags} ${grpc} ${principals}${told}`;
    for (const series of this.#known.get(key) ?? this.#add(key, record, direction, peer, changes)) {
      series.requests++;
      series.duration.record(record.durationMs);
      series.requestBytes.record(record.requestBodyBytes);
      series.responseBytes.record(record.responseBodyBytes);
    }
  }

  #add(
    key: string,
    record: RequestRecord,
    direction: "inbound" | "outbound",
    peer: string,
    changes: MetricLabels | undefined,
  ): readonly Series[] {
    const labels = this.#labels(record, direction, parseWorkload(peer));
    const found = (changes === undefined ? [formatLabels(labels)] : apart(labels, changes, record)).map((one) =>
      this.#of(one),
    );
    // Past the bound there is one series for all, which need not be known for each.
    if (this.#known.size >= 2 * maxSeries) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  #labels(record: RequestRecord, direction: "inbound" | "outbound", peer: Workload): [string, string][] {
    const outbound = direction === "outbound";
    const [source, destination] = outbound ? [this.#self, peer] : [peer, this.#self];
    const service = outbound ? serviceOf(record) : serviceOfWorkload(destination);
    const tls = !outbound && record.downstreamTls?.mutual === true ? record.downstreamTls : undefined;
    return [
      ["reporter", outbound ? "source" : "destination"],
      ...sideLabels("source", source, tls?.peerUri),
      ...sideLabels("destination", destination, tls?.localUri),
      ["destination_service", service.host],
      ["destination_service_name", service.name],
      ["destination_service_namespace", service.namespace],
      ["request_protocol", isGrpc(record.requestHeaders) ? "grpc" : "http"],
      ["response_code", String(record.responseCode)],
      ["grpc_response_status", isGrpc(record.requestHeaders) ? grpcStatus(record) : ""],
      ["response_flags", shortFlags(record.responseFlags)],
      // Only the destination reports the connection's security, as in Istio.
      ["connection_security_policy", outbound ? "unknown" : tls === undefined ? "none" : "mutual_tls"],
    ];
  }
}

/** Which metrics a series is shown in, all of them where it does not say. */
function shownIn(series: Series, metric: CountedMetric): Series[] {
  const [, metrics, labels = ""] = /^([A-Z_,]+)\|(.*)$/s.exec(series.labels) ?? [];
  if (metrics === undefined) return [series];
  return metrics.split(",").includes(metric) ? [{ ...series, labels }] : [];
}

/** What a request counts for where metrics have labels of their own: metrics with the same ones share a series. */
function apart(labels: readonly [string, string][], changes: MetricLabels, record: RequestRecord): string[] {
  const alike = new Map<string, CountedMetric[]>();
  for (const metric of countedMetrics) {
    const own = changes.labelsOf(metric, labels, record);
    if (own === undefined) continue;
    const text = formatLabels(own);
    alike.set(text, [...(alike.get(text) ?? []), metric]);
  }
  return [...alike].map(([text, metrics]) =>
    metrics.length === countedMetrics.length ? text : `${metrics.join(",")}|${text}`,
  );
}

const unknown = "unknown";
const overflowLabels = formatLabels([["reporter", "overflow"]]);

/** A number, or "": anything else is the peer's word and would be a series of its own. */
function grpcStatus({ responseHeaders, responseTrailers }: RequestRecord): string {
  const status = grpcStatusOf(responseHeaders, responseTrailers) ?? "";
  return /^\d{1,2}$/.test(status) ? status : "";
}

/** @param principal the SPIFFE id that the side's certificate shows */
function sideLabels(side: "source" | "destination", workload: Workload, principal = ""): [string, string][] {
  return [
    [`${side}_workload`, workload.name],
    [`${side}_workload_namespace`, workload.namespace],
    [`${side}_principal`, principal || unknown],
    [`${side}_app`, workload.canonicalService],
    [`${side}_version`, workload.canonicalRevision],
    [`${side}_canonical_service`, workload.canonicalService],
    [`${side}_canonical_revision`, workload.canonicalRevision],
    [`${side}_cluster`, workload.cluster],
  ];
}

/** `<workload>;<namespace>;<canonical service>;<canonical revision>;<cluster id>`, the form of endpoint metadata and of the peer header. */
function parseWorkload(text: string): Workload {
  const [name, namespace, canonicalService, canonicalRevision, cluster] = text.split(";");
  return {
    name: name || unknown,
    namespace: namespace || unknown,
    canonicalService: canonicalService || unknown,
    canonicalRevision: canonicalRevision || unknown,
    cluster: cluster || unknown,
  };
}

function workloadOfNode({ metadata, id }: Node): Workload {
  const text = (key: string) => (typeof metadata?.[key] === "string" ? metadata[key] : "");
  const labels = metadata?.LABELS;
  const label = (...names: string[]) => {
    if (labels === null || typeof labels !== "object" || Array.isArray(labels)) return "";
    const value = names.map((name) => labels?.[name]).find((found) => typeof found === "string" && found !== "");
    return typeof value === "string" ? value : "";
  };
  const name = text("WORKLOAD_NAME") || text("NAME") || id.split("~")[2]?.split(".")[0] || unknown;
  return {
    name,
    namespace: text("NAMESPACE") || unknown,
    canonicalService: label("service.istio.io/canonical-name", "app") || name,
    canonicalRevision: label("service.istio.io/canonical-revision", "version") || "latest",
    cluster: text("CLUSTER_ID") || unknown,
  };
}

interface Service {
  host: string;
  name: string;
  namespace: string;
}

/**
 * From a cluster name such as `outbound|9080|v2|reviews.default.svc.cluster.local`, also of a request that never got there (an injected
 * abort). Without one (a redirect, a direct response) the host that was asked for, if a configured route took it: any other name is the caller's invention and must not become a label.
 */
function serviceHost({ upstreamCluster, routedCluster, routeMetadata, authority }: RequestRecord): string {
  const cluster = upstreamCluster || routedCluster;
  const host = cluster.slice(cluster.lastIndexOf("|") + 1);
  if (host !== "") return host;
  return routeMetadata === undefined ? unknown : authority.replace(/:\d+$/, "");
}

function serviceOf(record: RequestRecord): Service {
  const host = serviceHost(record);
  const match = /^([^.]+)\.([^.]+)\.svc\./.exec(host);
  return { host, name: match?.[1] ?? host, namespace: match?.[2] ?? unknown };
}

function serviceOfWorkload({ canonicalService: name, namespace }: Workload): Service {
  return { host: `${name}.${namespace}.svc.cluster.local`, name, namespace };
}

const newSeries = (labels: string): Series => ({
  labels,
  requests: 0,
  duration: new Histogram(),
  requestBytes: new Histogram(),
  responseBytes: new Histogram(),
});
