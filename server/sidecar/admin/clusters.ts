import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { ClustersSchema, type HostStatusSchema } from "../../gen/proto/envoy/admin/v3/clusters_pb.js";
import { SimpleMetric_Type } from "../../gen/proto/envoy/admin/v3/metrics_pb.js";
import { RoutingPriority } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { HealthStatus } from "../../gen/proto/envoy/config/core/v3/health_check_pb.js";
import { HealthFlag } from "../cluster/health-flags.ts";
import type { ClusterView, HostView } from "./views.ts";

/** https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--clusters */
export function clustersText(clusters: readonly ClusterView[]): string {
  return clusters.flatMap(clusterLines).join("");
}

function clusterLines({ name, limits, addedViaApi, edsServiceName, rates, hosts }: ClusterView): string[] {
  const line = (...parts: (string | number | boolean)[]) => `${[name, ...parts].join("::")}\n`;
  // There is one set of limits: requests of high priority are not told apart.
  const thresholds = ["default_priority", "high_priority"].flatMap((priority) => [
    line(priority, "max_connections", limits.maxConnections),
    line(priority, "max_pending_requests", limits.maxPendingRequests),
    line(priority, "max_requests", limits.maxRequests),
    line(priority, "max_retries", limits.maxRetries),
  ]);
  return [
    line("observability_name", name),
    ...(rates === undefined
      ? []
      : [
          line("outlier", "success_rate_average", rates.external.average),
          line("outlier", "success_rate_ejection_threshold", rates.external.threshold),
          line("outlier", "local_origin_success_rate_average", rates.local.average),
          line("outlier", "local_origin_success_rate_ejection_threshold", rates.local.threshold),
        ]),
    ...thresholds,
    line("added_via_api", addedViaApi),
    ...(edsServiceName === "" ? [] : [line("eds_service_name", edsServiceName)]),
    ...hosts.flatMap((host) => hostFields(host).map(([key, value]) => line(hostPort(host), key, value))),
  ];
}

const hostFields = (host: HostView): [string, string | number | boolean][] => [
  ...metrics(host).map(({ name, value }): [string, number] => [name, value]),
  ["hostname", host.hostname],
  ["health_flags", healthFlags(host)],
  ["weight", host.weight],
  ["region", host.region],
  ["zone", host.zone],
  ["sub_zone", host.subZone],
  ["canary", host.canary],
  ["priority", host.priority],
  ["success_rate", host.successRate],
  ["local_origin_success_rate", host.localOriginSuccessRate],
];

/** Envoy's words, in its order. */
const flagNames: readonly (readonly [number, string])[] = [
  [HealthFlag.failedActiveCheck, "/failed_active_hc"],
  [HealthFlag.failedOutlierCheck, "/failed_outlier_check"],
  [HealthFlag.failedEdsHealth, "/failed_eds_health"],
  [HealthFlag.degradedActiveCheck, "/degraded_active_hc"],
  [HealthFlag.degradedEdsHealth, "/degraded_eds_health"],
  [HealthFlag.pendingRemoval, "/pending_dynamic_removal"],
  [HealthFlag.pendingActiveCheck, "/pending_active_hc"],
  [HealthFlag.excludedAtOnce, "/excluded_via_immediate_hc_fail"],
  [HealthFlag.activeCheckTimeout, "/active_hc_timeout"],
  [HealthFlag.edsDraining, "/eds_status_draining"],
];

const healthFlags = (host: HostView): string =>
  flagNames.flatMap(([flag, name]) => (has(host, flag) ? [name] : [])).join("") || "healthy";

const has = ({ healthFlags: flags }: HostView, flag: number): boolean => (flags & flag) !== 0;

function edsHealth(host: HostView): HealthStatus {
  if (has(host, HealthFlag.failedEdsHealth)) return HealthStatus.UNHEALTHY;
  if (has(host, HealthFlag.edsDraining)) return HealthStatus.DRAINING;
  return has(host, HealthFlag.degradedEdsHealth) ? HealthStatus.DEGRADED : HealthStatus.HEALTHY;
}

const hostPort = ({ address, port }: HostView) => `${address.includes(":") ? `[${address}]` : address}:${port}`;

const metrics = (host: HostView): { name: string; value: number; gauge: boolean }[] => [
  { name: "cx_active", value: host.connections, gauge: true },
  { name: "cx_connect_fail", value: host.connectFailures, gauge: false },
  { name: "cx_total", value: host.connectionsTotal, gauge: false },
  { name: "rq_active", value: host.requestsActive, gauge: true },
  { name: "rq_error", value: host.requestsError, gauge: false },
  { name: "rq_pending_active", value: host.requestsPending, gauge: true },
  { name: "rq_success", value: host.requestsSuccess, gauge: false },
  // Timeouts are counted per cluster only.
  { name: "rq_timeout", value: 0, gauge: false },
  { name: "rq_total", value: host.requestsTotal, gauge: false },
];

/** `?format=json`: an `envoy.admin.v3.Clusters`. */
export function clustersJson(clusters: readonly ClusterView[]): string {
  const message = create(ClustersSchema, {
    clusterStatuses: clusters.map(({ name, limits, addedViaApi, edsServiceName, rates, hosts }) => ({
      name,
      addedViaApi,
      edsServiceName,
      observabilityName: name,
      circuitBreakers: {
        thresholds: [limits, { ...limits, priority: RoutingPriority.HIGH }],
      },
      ...(rates &&
        rates.external.threshold >= 0 && { successRateEjectionThreshold: { value: rates.external.threshold } }),
      ...(rates &&
        rates.local.threshold >= 0 && { localOriginSuccessRateEjectionThreshold: { value: rates.local.threshold } }),
      hostStatuses: hosts.map(hostStatus),
    })),
  });
  return JSON.stringify(toJson(ClustersSchema, message, { useProtoFieldName: true }), null, 1);
}

function hostStatus(host: HostView): MessageInitShape<typeof HostStatusSchema> {
  const socketAddress = { address: host.address, portSpecifier: { case: "portValue" as const, value: host.port } };
  return {
    address: { address: { case: "socketAddress", value: socketAddress } },
    stats: metrics(host).map(({ name, value, gauge }) => ({
      name,
      value: BigInt(Math.trunc(value)),
      type: gauge ? SimpleMetric_Type.GAUGE : SimpleMetric_Type.COUNTER,
    })),
    healthStatus: {
      edsHealthStatus: edsHealth(host),
      failedActiveHealthCheck: has(host, HealthFlag.failedActiveCheck),
      failedOutlierCheck: has(host, HealthFlag.failedOutlierCheck),
      failedActiveDegradedCheck: has(host, HealthFlag.degradedActiveCheck),
      pendingDynamicRemoval: has(host, HealthFlag.pendingRemoval),
      pendingActiveHc: has(host, HealthFlag.pendingActiveCheck),
      excludedViaImmediateHcFail: has(host, HealthFlag.excludedAtOnce),
      activeHcTimeout: has(host, HealthFlag.activeCheckTimeout),
    },
    weight: host.weight,
    hostname: host.hostname,
    priority: host.priority,
    locality: { region: host.region, zone: host.zone, subZone: host.subZone },
    ...(host.successRate >= 0 && { successRate: { value: host.successRate } }),
    ...(host.localOriginSuccessRate >= 0 && { localOriginSuccessRate: { value: host.localOriginSuccessRate } }),
  };
}
