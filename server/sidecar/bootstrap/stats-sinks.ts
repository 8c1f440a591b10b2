import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { MetricsServiceConfigSchema } from "../../gen/proto/envoy/config/metrics/v3/metrics_service_pb.js";
import type { FieldError } from "../../lib/result.ts";
import { durationMs } from "../duration.ts";
import { envoyGrpcCluster } from "../grpc/grpc-channels.ts";

/** Where the proxy's own metrics go, and how often. */
export interface StatsSinkConfig {
  /** A static cluster. */
  cluster: string;
  flushIntervalMs: number;
}

/** Envoy's default of stats_flush_interval. */
const defaultFlushMs = 5000;

/** The `envoy.stat_sinks.metrics_service` of a bootstrap; other sinks are refused by their names. */
export function statsSinksOf(bootstrap: Bootstrap, errors: FieldError[]): StatsSinkConfig[] {
  const { statsSinks, statsFlushInterval, staticResources } = bootstrap;
  const flushIntervalMs = durationMs(statsFlushInterval) ?? defaultFlushMs;
  return statsSinks.flatMap(({ name, configType }, index) => {
    const path = `stats_sinks[${index}]`;
    const refuse = (at: string, message: string) => {
      errors.push({ path: `${path}${at}`, message });
      return [];
    };
    const config =
      configType.case === "typedConfig" ? anyUnpack(configType.value, MetricsServiceConfigSchema) : undefined;
    if (config === undefined)
      return refuse("", `${name || "this sink"} is not supported; use envoy.stat_sinks.metrics_service`);
    if (config.reportCountersAsDeltas)
      return refuse(".report_counters_as_deltas", "is not supported by the limpid sidecar");
    if (config.emitTagsAsLabels) return refuse(".emit_tags_as_labels", "is not supported by the limpid sidecar");
    const cluster = envoyGrpcCluster(config.grpcService, `${path}.grpc_service`);
    if (!cluster.ok) return refuse("", cluster.errors.join("; "));
    if (!staticResources?.clusters.some((each) => each.name === cluster.value)) {
      return refuse(".grpc_service.envoy_grpc.cluster_name", `there is no static cluster ${cluster.value}`);
    }
    return [{ cluster: cluster.value, flushIntervalMs }];
  });
}
