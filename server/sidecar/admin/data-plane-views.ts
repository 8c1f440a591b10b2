import type { DataPlane } from "../data-plane.ts";
import type { ClusterView, TlsView } from "./views.ts";

/** The clusters of the data path as the admin's pages show them. */
export function clusterViews(plane: DataPlane, isStatic: (name: string) => boolean): ClusterView[] {
  return [...plane.clusterMap.values()].map(({ config, allEndpoints }) => ({
    name: config.name,
    edsServiceName: config.discovery === "eds" && config.serviceName !== config.name ? config.serviceName : "",
    addedViaApi: !isStatic(config.name),
    limits: {
      maxConnections: config.maxConnections,
      maxPendingRequests: config.maxPendingRequests,
      maxRequests: config.maxRequests,
      maxRetries: config.maxRetries,
    },
    hosts: allEndpoints.map((endpoint) => ({
      address: endpoint.config.address,
      port: endpoint.config.port,
      hostname: endpoint.config.hostname,
      weight: endpoint.config.weight,
      priority: endpoint.config.priority,
      healthy: endpoint.config.healthy,
      ejected: endpoint.outlier.ejectedAt !== undefined,
      connections: endpoint.connections.size,
      connectionsTotal: endpoint.totals.connections,
      connectFailures: endpoint.totals.connectFailures,
      requestsActive: endpoint.active,
      requestsPending: endpoint.pending.length,
      requestsTotal: endpoint.totals.requests,
      requestsSuccess: endpoint.totals.successes,
      requestsError: endpoint.totals.errors,
    })),
  }));
}

/** The TLS contexts of clusters and listeners, each once. */
export function tlsViews(plane: DataPlane): TlsView[] {
  const settings = plane.tlsContexts().flatMap((context) => context.current() ?? []);
  const distinct = new Map(settings.map((one) => [one.key, one]));
  return [...distinct.values()].map(({ certificate, options: { ca } }) => ({
    authorities: typeof ca === "string" ? ca : undefined,
    chain: certificate?.chain,
  }));
}
