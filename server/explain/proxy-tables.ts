import type { ClusterRow, EndpointRow, ListenerRow, ProxyTables, RouteRow } from "../contract/index.ts";
import { ClusterSchema } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { Listener } from "../gen/proto/envoy/config/listener/v3/listener_pb.js";
import type { RouteMatch, VirtualHost } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RouteConfigurationSchema } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { downstreamTls } from "./chains.ts";
import { assignmentOf, endpointsOf, ruleOf } from "./clusters.ts";
import { type EncodedResource, type Holdings, holdingsOf } from "./holdings.ts";
import { servedBy } from "./listeners.ts";
import { originOf } from "./origins.ts";
import { deedOf, pathWords } from "./routes.ts";

/** As many rows of each kind as are told of: a proxy of a large mesh has a hundred thousand. */
const mostRows = 3000;

/** What a proxy has in force, as rows, each with the object that it comes from. */
export function proxyTables(id: string, resources: readonly EncodedResource[]): ProxyTables {
  const holdings = holdingsOf(resources);
  const namesOf = (typeName: string): string[] =>
    resources.filter(({ typeUrl }) => typeUrl.endsWith(`/${typeName}`)).map(({ name }) => name);
  const clusters = namesOf(ClusterSchema.typeName).toSorted();
  const tables = {
    listeners: holdings.listeners.flatMap(listenerRows),
    routes: namesOf(RouteConfigurationSchema.typeName)
      .toSorted()
      .flatMap((name) => routeRows(holdings, name)),
    clusters: clusters.flatMap((name) => clusterRow(holdings, name)),
    endpoints: clusters.flatMap((name) => endpointRows(holdings, name)),
  };
  const more = Object.values(tables).reduce((sum, rows) => sum + Math.max(0, rows.length - mostRows), 0);
  return {
    id,
    listeners: tables.listeners.slice(0, mostRows),
    routes: tables.routes.slice(0, mostRows),
    clusters: tables.clusters.slice(0, mostRows),
    endpoints: tables.endpoints.slice(0, mostRows),
    more,
  };
}

function listenerRows(listener: Listener): ListenerRow[] {
  const socket = listener.address?.address;
  const { address = "", port = 0 } =
    socket?.case === "socketAddress"
      ? {
          address: socket.value.address,
          port: socket.value.portSpecifier.case === "portValue" ? socket.value.portSpecifier.value : 0,
        }
      : {};
  const chains = listener.defaultFilterChain
    ? [...listener.filterChains, listener.defaultFilterChain]
    : listener.filterChains;
  return chains.map((chain, index) => {
    const { http, tcp } = servedBy(chain);
    const specifier = http?.routeSpecifier;
    const cluster = tcp?.clusterSpecifier;
    return {
      resource: { type: "LDS" as const, name: listener.name },
      origin: originOf(chain.metadata) ?? originOf(listener.metadata),
      listener: listener.name,
      address,
      port,
      chain: chain.name || (chain === listener.defaultFilterChain ? "default_filter_chain" : `filter_chains[${index}]`),
      serves: http ? ("http" as const) : tcp ? ("tcp" as const) : ("nothing" as const),
      tls: downstreamTls(chain),
      to:
        specifier?.case === "rds"
          ? specifier.value.routeConfigName
          : cluster?.case === "cluster"
            ? cluster.value
            : cluster?.case === "weightedClusters"
              ? cluster.value.clusters.map(({ name }) => name).join(", ")
              : "",
      filters: (http ? http.httpFilters : chain.filters).map(({ name }) => name),
    };
  });
}

function routeRows(holdings: Holdings, table: string): RouteRow[] {
  const configuration = holdings.route(table);
  if (configuration === undefined) return [];
  const own = new Set(configuration.virtualHosts);
  return holdings.virtualHosts(configuration).flatMap((host: VirtualHost) =>
    host.routes.map((route) => ({
      resource: own.has(host) ? { type: "RDS" as const, name: table } : { type: "VHDS" as const, name: host.name },
      origin: originOf(route.metadata),
      table,
      virtualHost: host.name.replace(`${table}/`, ""),
      domains: host.domains.slice(0, 20),
      name: route.name,
      match: matchText(route.match),
      ...deedOf(route),
    })),
  );
}

function matchText(match: RouteMatch | undefined): string {
  if (match === undefined) return "";
  const { operator, value } = pathWords(match);
  const asked = [
    operator === "any" ? "" : `${operator} ${value}`,
    ...match.headers.map(({ name }) => `header ${name}`),
    ...match.queryParameters.map(({ name }) => `query ${name}`),
    match.grpc ? "grpc" : "",
  ];
  return asked.filter(Boolean).join(", ");
}

function clusterRow(holdings: Holdings, name: string): ClusterRow[] {
  const cluster = holdings.cluster(name);
  if (cluster === undefined) return [];
  const [direction = "", port = "", subset = "", host] = name.split("|");
  const groups = assignmentOf(holdings, cluster)?.endpoints;
  const endpoints = groups?.flatMap((group) => endpointsOf(group, cluster));
  const { case: kind, value } = cluster.clusterDiscoveryType;
  return [
    {
      resource: { type: "CDS", name },
      origin: ruleOf(cluster),
      cluster: name,
      ...(host === undefined ? { host: name, port: "", subset: "", direction: "" } : { host, port, subset, direction }),
      discovery: kind === "clusterType" ? value.name : (discoveries[value ?? 0] ?? ""),
      endpoints: endpoints ? endpoints.length : null,
      healthy: endpoints ? endpoints.filter(({ shown }) => shown.healthy).length : null,
    },
  ];
}

/** Envoy's names of `Cluster.DiscoveryType`, by number. */
const discoveries = ["STATIC", "STRICT_DNS", "LOGICAL_DNS", "EDS", "ORIGINAL_DST"];

function endpointRows(holdings: Holdings, name: string): EndpointRow[] {
  const cluster = holdings.cluster(name);
  if (cluster === undefined) return [];
  const isEds = cluster.clusterDiscoveryType.value === 3;
  const resource = {
    type: isEds ? ("EDS" as const) : ("CDS" as const),
    name: isEds ? cluster.edsClusterConfig?.serviceName || name : name,
  };
  return (assignmentOf(holdings, cluster)?.endpoints ?? []).flatMap((group) =>
    endpointsOf(group, cluster).map(({ shown }) => ({
      resource,
      origin: null,
      cluster: name,
      address: shown.address,
      workload: shown.workload,
      locality: shown.locality,
      health: shown.health,
      weight: shown.weight,
      priority: shown.priority,
      tls: shown.tls,
    })),
  );
}
