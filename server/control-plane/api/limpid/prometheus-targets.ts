import { isIPv6 } from "node:net";
import type { KnownProxy } from "../../../contract/index.ts";

/** One of Prometheus' target groups. https://prometheus.io/docs/prometheus/latest/http_sd/ */
export interface TargetGroup {
  targets: string[];
  labels: Record<string, string>;
}

/**
 * Every proxy that says where its metrics are, those that are missed included: to Prometheus they are down. Labels are named as Istio's
 * dashboards have them.
 */
export const prometheusTargets = (proxies: readonly KnownProxy[]): TargetGroup[] =>
  proxies.flatMap(({ address, metricsPort, ...proxy }) => {
    if (metricsPort === null || address === "") return [];
    const host = isIPv6(address) ? `[${address}]` : address;
    const { id, name, namespace, app, version, kind } = proxy;
    return {
      targets: [`${host}:${metricsPort}`],
      labels: { pod: name, namespace, app, version, kind, __meta_limpid_node: id },
    };
  });
