import { stringify } from "yaml";
import { meshPorts } from "../fleet/ports.ts";
import { type CommonOptions, failWith, portOffsetOf } from "./options.ts";

/** Prints a whole `prometheus.yml` for a Prometheus on this machine. */
export function runPrometheusConfig(options: CommonOptions): void {
  try {
    process.stdout.write(prometheusConfig(portOffsetOf(options)));
  } catch (error) {
    failWith(error);
  }
}

/**
 * Istio's standard metrics come from the collector, once for every proxy that sends its access logs; the proxies' own are theirs but for those, or
 * every request of a bundled sidecar would be counted twice.
 */
export function prometheusConfig(portOffset: number): string {
  const ports = meshPorts(portOffset);
  const job = (name: string, path: string, targets: readonly string[], labels: Record<string, string> = {}) => ({
    job_name: name,
    metrics_path: path,
    static_configs: [{ targets, ...(Object.keys(labels).length > 0 && { labels }) }],
  });
  const local = (port: number) => [`127.0.0.1:${port}`];
  return stringify({
    global: { scrape_interval: "15s", scrape_timeout: "10s" },
    scrape_configs: [
      job("mesh", "/stats/prometheus", local(ports.collectorHttp)),
      job("limpid-collector", "/metrics", local(ports.collectorHttp)),
      // The name by which Istio's dashboards know its control plane.
      job("istiod", "/metrics", local(ports.configApi), { app: "istiod", pod: "istiod" }),
      // The supervisor, with what each process takes of the machine, as cAdvisor has it of containers.
      job("cadvisor", "/metrics/cadvisor", local(ports.fleet)),
      {
        job_name: "envoy-stats",
        metrics_path: "/stats/prometheus",
        // The control plane knows every proxy, wherever it was started from.
        http_sd_configs: [
          { url: `http://127.0.0.1:${ports.configApi}/limpid/v1/prometheus/targets`, refresh_interval: "15s" },
        ],
        metric_relabel_configs: [
          { source_labels: ["__name__"], regex: "istio_.*", action: "drop" },
          // Istio's proxies are told to call Envoy's tag by this name, and its dashboards ask for it.
          { regex: "envoy_(cluster_name)", action: "labelmap" },
        ],
      },
    ],
  });
}
