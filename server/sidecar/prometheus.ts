import { type Histogram, histogramBounds, type Stats } from "./stats.ts";

/** One line's worth of a metric, before lines of equal names are gathered under one TYPE. */
interface Named {
  name: string;
  labels: string;
}

interface PrometheusOptions {
  /** Leaves out counters that are zero and histograms without a sample. */
  usedOnly?: boolean;
  /** Takes Envoy's dotted name. */
  filter?: (name: string) => boolean;
}

/** Stats in Prometheus' text format under the names and labels that Envoy gives them, cluster names kept whole. */
export function renderPrometheus(
  stats: Stats,
  { usedOnly = false, filter = () => true }: PrometheusOptions = {},
): string {
  const families = new Families();
  for (const [name, { value }] of stats.counters) {
    if (filter(name) && !(usedOnly && value === 0)) families.add("counter", prometheusName(name), value);
  }
  for (const [name, { value }] of stats.gauges) {
    if (filter(name)) families.add("gauge", prometheusName(name), value);
  }
  for (const [name, histogram] of stats.histograms) {
    if (filter(name) && !(usedOnly && histogram.count === 0)) families.addHistogram(prometheusName(name), histogram);
  }
  return families.toString();
}

/** Gathers samples by family, as the text format wants them. */
export class Families {
  readonly #families = new Map<string, string[]>();

  add(type: "counter" | "gauge", { name, labels }: Named, value: number): void {
    this.#of(name, type).push(`${name}{${labels}} ${value}\n`);
  }

  addHistogram({ name, labels }: Named, { counts, sum, count }: Pick<Histogram, "counts" | "sum" | "count">): void {
    const lines = this.#of(name, "histogram");
    const prefix = labels === "" ? "" : `${labels},`;
    let cumulative = 0;
    histogramBounds.forEach((bound, index) => {
      cumulative += counts[index] ?? 0;
      lines.push(`${name}_bucket{${prefix}le="${bound}"} ${cumulative}\n`);
    });
    lines.push(`${name}_bucket{${prefix}le="+Inf"} ${count}\n`);
    lines.push(`${name}_sum{${labels}} ${sum}\n${name}_count{${labels}} ${count}\n`);
  }

  toString(): string {
    let text = "";
    for (const lines of this.#families.values()) text += lines.join("");
    return text;
  }

  #of(name: string, type: string): string[] {
    let lines = this.#families.get(name);
    if (lines === undefined) {
      lines = [`# TYPE ${name} ${type}\n`];
      this.#families.set(name, lines);
    }
    return lines;
  }
}

/**
 * Envoy's tag extraction. A name such as `cluster.outbound|9080||a.default.svc.cluster.local.upstream_rq_2xx` doesn't say where the cluster
 * ends, so it ends where the first of Envoy's own stat names begins: Envoy's default rule stops at the first dot and cuts such names in two.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto
 */
export function prometheusName(stat: string): Named {
  const labels: [string, string][] = [];
  let rest = stat;
  for (const { pattern, label, family } of scopes) {
    const match = pattern.exec(rest);
    if (match === null) continue;
    const [, value = "", tail = ""] = match;
    labels.push([label, value]);
    rest = `${family}.${tail}`;
    break;
  }
  const perWorker = /^listener\.worker_(\d+)\.(.+)$/.exec(rest);
  if (perWorker) {
    labels.push(["envoy_worker_id", perWorker[1] ?? ""]);
    rest = `listener.worker.${perWorker[2]}`;
  }
  const perManager = /^listener\.http\.(.+?)\.(downstream_.+)$/.exec(rest);
  if (perManager) {
    labels.unshift(["envoy_http_conn_manager_prefix", perManager[1] ?? ""]);
    rest = `listener.http.${perManager[2]}`;
  }
  const code = /_rq_(\d{3})$/.exec(rest);
  const codeClass = /_rq_(\d)xx$/.exec(rest);
  if (code) {
    labels.unshift(["envoy_response_code", code[1] ?? ""]);
    rest = rest.slice(0, -4);
  } else if (codeClass) {
    labels.unshift(["envoy_response_code_class", codeClass[1] ?? ""]);
    rest = `${rest.slice(0, -3)}xx`;
  }
  return { name: `envoy_${rest.replace(/[^A-Za-z0-9_]/g, "_")}`, labels: formatLabels(labels) };
}

// Namespaces may be called `default` or `internal`: such a word counts only with what follows it in Envoy's names.
const clusterStats =
  "upstream_|membership_|circuit_breakers\\.(?:default|high)\\.|outlier_detection\\.ejections|lb_|retry_|update_|assignment_|" +
  "health_check\\.(?:attempt|success|failure|healthy)|http1\\.[a-z_]+$|http2\\.[a-z_]+$|ssl\\.[a-z_]+$|" +
  "(?:internal|external|canary)\\.upstream_|default\\.total_match_count|bind_errors$|max_host_weight$|version$|" +
  "warming_state$|init_fetch";
const httpStats =
  "downstream_|rq_|no_route|no_cluster|rds\\.|vhds\\.|fault\\.|tracing\\.|user_agent\\.|passthrough_|rbac\\.|cors\\.|" +
  "http_local_rate_limit\\.|ratelimit\\.";

const scopes = [
  {
    pattern: new RegExp(`^cluster\\.(.+?)\\.((?:${clusterStats}).*)$`),
    label: "envoy_cluster_name",
    family: "cluster",
  },
  {
    pattern: new RegExp(`^http\\.(.+?)\\.((?:${httpStats}).*)$`),
    label: "envoy_http_conn_manager_prefix",
    family: "http",
  },
  {
    pattern: /^listener\.(?!admin\.)(.+?)\.((?:downstream_|no_filter_chain|http\.|worker_|connections_|ssl\.).*)$/,
    label: "envoy_listener_address",
    family: "listener",
  },
  {
    pattern: /^tcp\.(.+?)\.((?:downstream_|upstream_|max_|idle_|flow_).*)$/,
    label: "envoy_tcp_prefix",
    family: "tcp",
  },
] as const;

export const formatLabels = (labels: readonly (readonly [string, string])[]): string =>
  labels.map(([name, value]) => `${name}="${escapeLabel(value)}"`).join(",");

const escapeLabel = (value: string) =>
  /["\\\n]/.test(value) ? value.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n") : value;
