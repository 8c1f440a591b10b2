import type { DataPlane } from "../data-plane.ts";
import type { CommonTls } from "../tls/common-tls.ts";
import type { CertsView, ClusterView } from "./views.ts";

/** The clusters of the data path as the admin's pages show them. */
export function clusterViews(plane: DataPlane, isStatic: (name: string) => boolean): ClusterView[] {
  return [...plane.clusterMap.values()].map(({ config, allEndpoints, pool, outlier }) => ({
    name: config.name,
    edsServiceName: config.discovery === "eds" && config.serviceName !== config.name ? config.serviceName : "",
    addedViaApi: !isStatic(config.name),
    limits: {
      maxConnections: config.maxConnections,
      maxPendingRequests: config.maxPendingRequests,
      maxRequests: config.maxRequests,
      maxRetries: config.maxRetries,
    },
    rates: outlier && { external: outlier.external, local: outlier.local },
    hosts: allEndpoints.map((endpoint) => ({
      address: endpoint.config.address,
      port: endpoint.config.port,
      hostname: endpoint.config.hostname,
      weight: endpoint.config.weight,
      priority: endpoint.config.priority,
      region: endpoint.config.locality.region,
      zone: endpoint.config.locality.zone,
      subZone: endpoint.config.locality.subZone,
      canary: endpoint.canary,
      healthFlags: endpoint.health.flags,
      successRate: endpoint.outlier.external.rate,
      localOriginSuccessRate: endpoint.outlier.local.rate,
      connections: pool.connectionsTo(endpoint),
      connectionsTotal: endpoint.totals.connections,
      connectFailures: endpoint.totals.connectFailures,
      requestsActive: endpoint.active,
      requestsPending: pool.pendingFor(endpoint),
      requestsTotal: endpoint.totals.requests,
      requestsSuccess: endpoint.totals.successes,
      requestsError: endpoint.totals.errors,
    })),
  }));
}

/** What TLS contexts show and trust at the moment, each combination once. */
export function certsViews(contexts: readonly CommonTls[]): CertsView[] {
  const views = new Map<string, CertsView>();
  const pairs = contexts.flatMap(({ certificates, validation }) =>
    (certificates.length > 0 ? certificates : [undefined]).map(
      (held) => [held?.value, validation?.value?.authorities] as const,
    ),
  );
  for (const [own, authorities] of pairs) {
    if (own === undefined && authorities === undefined) continue;
    views.set([own?.version, own?.path, authorities?.version, authorities?.path].join(" "), {
      chain: own && { path: own.path, certificates: own.infos },
      authorities: authorities && { path: authorities.path, certificates: authorities.infos },
    });
  }
  return [...views.values()];
}
