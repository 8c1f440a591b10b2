/** A stat's name and labels, as Prometheus has them of Envoy. */
export interface StatName {
  name: string;
  labels: [name: string, value: string][];
}

/**
 * Envoy's tag extraction. A name such as `cluster.outbound|9080||a.default.svc.cluster.local.upstream_rq_2xx` doesn't say where the cluster
 * ends, so it ends where the first of Envoy's own stat names begins: Envoy's default rule stops at the first dot and cuts such names in two.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/stats.proto
 */
export function statName(stat: string): StatName {
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
  const perRoute = /^vhost\.(.+?)\.route\.(.+)\.(upstream_.*)$/.exec(rest);
  if (perRoute) {
    labels.push(["envoy_virtual_host", perRoute[1] ?? ""], ["envoy_route", perRoute[2] ?? ""]);
    rest = `vhost.route.${perRoute[3]}`;
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
  return { name: `envoy_${rest.replace(/[^A-Za-z0-9_]/g, "_")}`, labels };
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

/** What a stat is measured in, in UCUM as OTLP has it, as far as its name tells; empty otherwise. */
export function unitOfStat(name: string): string {
  if (/_us$/.test(name)) return "us";
  if (/(_ms|_rq_time|_cx_length_ms|_cx_connect_ms)$/.test(name)) return "ms";
  if (/memory_|_bytes(_|$)|_bytes_total$/.test(name)) return "By";
  return /uptime$/.test(name) ? "s" : "";
}
