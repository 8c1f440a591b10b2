import { create } from "@bufbuild/protobuf";
import { type HealthCheck, HealthCheckSchema } from "../gen/proto/envoy/config/core/v3/health_check_pb.js";
import { type ClusterHealthCheck, ClusterHealthCheckSchema } from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import { parseGoDuration } from "../lib/go-duration.ts";
import type { Endpoint } from "../model/endpoints.ts";
import type { CheckedPort } from "../model/health-checks.ts";
import type { HealthCheckSpec } from "../model/specs.ts";
import { duration } from "./duration.ts";
import { socketAddress } from "./endpoints.ts";
import { mutualTlsClient, type SecretSource } from "./mutual-tls.ts";
import { outboundCluster, sniOf } from "./names.ts";

/** The cluster by which a port is named to its probers, and in what they report. */
export const probedCluster = ({ service, port, mutualTls }: CheckedPort): string =>
  `${outboundCluster(port.port, "", service.hostname)}/${service.namespace}${mutualTls ? "/mutual-tls" : ""}`;

/** How `endpoints` of a port are to be probed, in Envoy's words. @param certificates where the prober finds its own, and the mesh's authorities */
export const clusterProbes = (
  checked: CheckedPort,
  endpoints: readonly Endpoint[],
  certificates: SecretSource | undefined,
): ClusterHealthCheck =>
  create(ClusterHealthCheckSchema, {
    clusterName: probedCluster(checked),
    transportSocketMatches: checked.mutualTls && certificates ? [byMutualTls(checked, certificates)] : [],
    healthChecks: [probe(checked.spec, checked.service.hostname)],
    localityEndpoints: [
      { endpoints: endpoints.map(({ address, port }) => ({ address: socketAddress(address, port) })) },
    ],
  });

/** For all endpoints. Whose workload answers is not asked: any certificate of the mesh will do. */
const byMutualTls = ({ service, port, mutualTls }: CheckedPort, source: SecretSource) => ({
  name: "mutual-tls",
  match: {},
  transportSocket: mutualTlsClient({
    sni: sniOf(port.port, "", service.hostname),
    subjectAltNames: [],
    trustDomains: mutualTls?.trustDomains ?? [],
    source,
  }),
});

/** ms */
export const probeIntervalMs = ({ interval }: HealthCheckSpec): number => parseGoDuration(interval ?? "5s") ?? 5_000;

function probe(spec: HealthCheckSpec, hostname: string): HealthCheck {
  const interval = duration(spec.interval ?? "5s");
  return create(HealthCheckSchema, {
    interval,
    // Envoy asks less often where no request has gone yet: a minute by default, which is too long to find a fault.
    noTrafficInterval: interval,
    timeout: duration(spec.timeout ?? "1s"),
    healthyThreshold: spec.healthyThreshold ?? 1,
    unhealthyThreshold: spec.unhealthyThreshold ?? 2,
    healthChecker: spec.http
      ? {
          case: "httpHealthCheck",
          value: {
            path: spec.http.path,
            host: spec.http.host ?? hostname,
            expectedStatuses: (spec.http.expectedStatuses ?? []).map((code) => ({
              start: BigInt(code),
              end: BigInt(code + 1),
            })),
          },
        }
      : { case: "tcpHealthCheck", value: {} },
  });
}
