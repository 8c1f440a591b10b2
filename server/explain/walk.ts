import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type {
  ConfigRule,
  ExplainedChain,
  ExplainedEnd,
  ExplainedForward,
  ExplainedRoute,
  ExplainedSide,
} from "../contract/index.ts";
import {
  type Route,
  VirtualHost_TlsRequirementType as TlsRequirement,
  type VirtualHost,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { RouteConfiguration } from "../gen/proto/envoy/config/route/v3/route_pb.js";
import { JwtAuthenticationSchema } from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import {
  HttpConnectionManager_PathWithEscapedSlashesAction as EscapedSlashes,
  type HttpConnectionManager,
} from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { TcpProxy } from "../gen/proto/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy_pb.js";
import { getHeader } from "../sidecar/http/headers.ts";
import type { RequestView } from "../sidecar/match/request-view.ts";
import type { RbacSubject } from "../sidecar/rbac/subject.ts";
import { normalizePath } from "../sidecar/request/normalize-path.ts";
import { withoutPort } from "../sidecar/route/route-table.ts";
import { judgeChains } from "./chains.ts";
import { type JudgedCluster, judgeCluster } from "./clusters.ts";
import { type FilterScope, type JudgedFilters, judgeHttpFilters, judgeNetworkFilters } from "./filters.ts";
import { answerOf, clustersOf, forwardOf, type WeightedName } from "./forward.ts";
import type { Holdings } from "./holdings.ts";
import { judgeJwt, jwtMetadata } from "./jwt.ts";
import { boundText, type ChosenListener, servedBy } from "./listeners.ts";
import type { ExplainRequest } from "./request.ts";
import { judgeRoutes } from "./routes.ts";
import { findVirtualHost } from "./virtual-host.ts";

type Unplaced<T> = Omit<T, "origin"> & { origin: ConfigRule | null };

/** What one proxy does with a request, before the lines of its YAML are looked up. */
export interface Walk
  extends Omit<ExplainedSide, "proxy" | "direction" | "chains" | "routes" | "clusters" | "mirrors"> {
  chains: Unplaced<ExplainedChain>[];
  routes: Unplaced<ExplainedRoute>[];
  clusters: JudgedCluster[];
  mirrors: JudgedCluster[];
  /** The request as the next hop gets it. */
  forwarded: { path: string | null; authority: string | null };
}

/**
 * From the listener to the endpoints, each step as Envoy takes it. Pure, and without drawing lots: where a proxy would, every way stands with its share. Where the config has
 * something that our data plane does not know, the step says so instead of guessing.
 */
export function walk(holdings: Holdings, chosen: ChosenListener | undefined, request: ExplainRequest): Walk {
  const { method, authority, path } = request;
  const start: Walk = {
    request: { method, authority, path },
    listener: chosen ? { name: chosen.listener.name, address: boundText(chosen.listener), by: chosen.by } : null,
    chains: [],
    routeConfiguration: "",
    virtualHost: null,
    routes: [],
    filters: [],
    forward: null,
    clusters: [],
    mirrors: [],
    end: end("no-listener"),
    forwarded: { path: null, authority: null },
  };
  if (chosen === undefined) return start;
  const judged = judgeChains(chosen, request);
  const chains = judged.map(({ chain: _, ...shown }) => shown);
  const chain = judged.find((it) => it.chosen)?.chain;
  if (chain === undefined) return { ...start, chains, end: end("no-chain") };
  const subject = subjectOf(chosen, request);
  const network = judgeNetworkFilters(chain.filters.slice(0, -1), subject);
  const arrived = { ...start, chains, filters: network.filters };
  if (network.denied) return { ...arrived, end: end("denied", 0, "rbac_access_denied") };
  const { http, tcp } = servedBy(chain);
  if (http) return walkHttp(holdings, arrived, http, subject, request);
  if (tcp) return forwardTo(holdings, arrived, tcpClusters(tcp));
  return { ...arrived, end: end("no-chain") };
}

function walkHttp(
  holdings: Holdings,
  before: Walk,
  manager: HttpConnectionManager,
  subject: RbacSubject,
  came: ExplainRequest,
): Walk {
  const clean = prepared(manager, subject, came);
  if (clean === undefined) return { ...before, end: end("bad-request", 400, "path_normalization_failed") };
  const { metadata, reroutes } = notedOfToken(manager, clean);
  const request = { ...clean, dynamicMetadata: metadata };
  const view = { ...clean, dynamicMetadata: reroutes ? metadata : metadata && {} };
  const { method, authority, path } = request;
  const asked: Walk = { ...before, request: { method, authority, path } };
  const config = routesOf(holdings, manager);
  const name = config?.name ?? routeName(manager);
  if (config === undefined)
    return { ...asked, routeConfiguration: name, end: end("no-routes", 404, "route_not_found") };
  const hosts = holdings.virtualHosts(config);
  const found = findVirtualHost(config, hosts, authority);
  const virtualHost = found ? { name: found.host.name, domain: found.domain, among: hosts.length } : null;
  const routes = found ? judgeRoutes(found.host.routes, view) : [];
  const route = routes.find(({ verdict }) => verdict === "taken")?.route;
  const targets = route?.action.case === "route" ? clustersOf(route.action.value, request) : [];
  const walked: Walk = {
    ...asked,
    routeConfiguration: name,
    virtualHost,
    routes: routes.map(({ route: taken, ...shown }) => ({
      ...shown,
      to: shown.does === "redirect" && found ? locationOf(taken, found.host, request) : shown.to,
    })),
    forward: route && found ? forwardOf(route, found.host, request) : null,
  };
  const mirrors = (walked.forward?.mirrors ?? []).map(({ cluster, share }) => judgeCluster(holdings, cluster, share));
  const filters = filtersOf(
    manager,
    config,
    found?.host,
    route,
    targets,
    { ...subject, request },
    {
      ...request,
      runtime: holdings.runtime,
    },
  );
  const filtered = { ...walked, mirrors, filters: [...before.filters, ...filters.filters] };
  const last =
    found && route
      ? forwardOrAnswer(holdings, filtered, found.host, route, targets, request)
      : { ...filtered, end: end(found ? "no-route" : "no-virtual-host", 404, "route_not_found") };
  return intercepted(last, filters);
}

/** What a filter does comes before what the route would: they run first, and the route's clusters stay as what would have been. */
function intercepted(walked: Walk, { denied, unauthenticated, aborted }: JudgedFilters): Walk {
  if (unauthenticated) {
    const { status, why } = unauthenticated;
    return { ...walked, end: end("denied", status, `jwt_authn_access_denied{${why.replaceAll(/\s/g, "_")}}`) };
  }
  if (denied) {
    const policy = denied.policy === "" ? "none" : denied.policy.replaceAll(/\s/g, "_");
    return { ...walked, end: end("denied", 403, `rbac_access_denied_matched_policy[${policy}]`) };
  }
  return aborted > 0 ? { ...walked, end: end("aborted", aborted, "fault_filter_abort") } : walked;
}

function forwardOrAnswer(
  holdings: Holdings,
  walked: Walk,
  host: VirtualHost,
  route: Route,
  targets: readonly WeightedName[],
  request: ExplainRequest,
): Walk {
  if (host.requireTls === TlsRequirement.ALL && request.tls === undefined) {
    return {
      ...walked,
      end: { ...end("redirected", 301, ""), location: `https://${request.authority}${request.path}` },
    };
  }
  const answer = answerOf(route, host, request);
  if (answer) return { ...walked, end: answer };
  const { path = null, authority = null } = (walked.forward ?? {}) as Partial<ExplainedForward>;
  return { ...forwardTo(holdings, walked, targets), forwarded: { path, authority } };
}

function filtersOf(
  manager: HttpConnectionManager,
  config: RouteConfiguration,
  host: VirtualHost | undefined,
  route: Route | undefined,
  targets: readonly WeightedName[],
  subject: RbacSubject,
  { token, nowSec, runtime }: Pick<FilterScope, "token" | "nowSec" | "runtime">,
): JudgedFilters {
  const [only] = targets.length === 1 ? targets : [];
  return judgeHttpFilters(manager, {
    perFilter: [
      only?.perFilter ?? {},
      route?.typedPerFilterConfig ?? {},
      host?.typedPerFilterConfig ?? {},
      config.typedPerFilterConfig,
    ],
    subject,
    cluster: only?.name ?? "",
    runtime,
    token,
    nowSec,
  });
}

const locationOf = (route: Route, host: VirtualHost, request: ExplainRequest): string =>
  answerOf(route, host, request)?.location ?? "";

function forwardTo(holdings: Holdings, walked: Walk, targets: readonly { name: string; share: number }[]): Walk {
  const clusters = targets.map(({ name, share }) => judgeCluster(holdings, name, share));
  const reachable = clusters.some(({ found, callable, dynamic }) => found && (dynamic || callable.length > 0));
  const isKnown = clusters.some(({ found }) => found);
  const where = reachable
    ? end("forwarded")
    : isKnown
      ? end("no-endpoint", 503, "no_healthy_upstream")
      : end("no-cluster", 503, "cluster_not_found");
  return { ...walked, clusters, end: where };
}

function tcpClusters({ clusterSpecifier: specifier }: TcpProxy): { name: string; share: number }[] {
  if (specifier.case === "cluster") return [{ name: specifier.value, share: 1 }];
  if (specifier.case !== "weightedClusters") return [];
  const total = specifier.value.clusters.reduce((sum, { weight }) => sum + weight, 0);
  return specifier.value.clusters.map(({ name, weight }) => ({ name, share: weight / total }));
}

function routesOf(
  holdings: Holdings,
  { routeSpecifier: specifier }: HttpConnectionManager,
): RouteConfiguration | undefined {
  if (specifier.case === "routeConfig") return specifier.value;
  return specifier.case === "rds" ? holdings.route(specifier.value.routeConfigName) : undefined;
}

const routeName = ({ routeSpecifier: specifier }: HttpConnectionManager): string =>
  specifier.case === "rds" ? specifier.value.routeConfigName : "";

/** What the connection manager does to a request before it looks for a route. Undefined: it answers 400. */
function prepared(
  manager: HttpConnectionManager,
  { connection }: RbacSubject,
  request: ExplainRequest,
): ExplainRequest | undefined {
  const escaped = escapedSlashes[manager.pathWithEscapedSlashesAction] ?? "keep";
  const path = normalizePath(request.path, manager.normalizePath ?? false, manager.mergeSlashes, escaped);
  if (path === undefined) return undefined;
  const { stripPortMode: mode, stripMatchingHostPort, stripTrailingHostDot } = manager;
  const strips =
    (mode.case === "stripAnyHostPort" && mode.value) ||
    (stripMatchingHostPort && request.authority.endsWith(`:${connection.localPort}`));
  const host = strips ? withoutPort(request.authority) : request.authority;
  return { ...request, path, authority: stripTrailingHostDot ? host.replace(/\.(?=:\d+$|$)/, "") : host };
}

/** A redirect to the unescaped path is told as what it leads to. */
const escapedSlashes: Partial<Record<EscapedSlashes, "reject" | "unescape">> = {
  [EscapedSlashes.REJECT_REQUEST]: "reject",
  [EscapedSlashes.UNESCAPE_AND_REDIRECT]: "unescape",
  [EscapedSlashes.UNESCAPE_AND_FORWARD]: "unescape",
};

function subjectOf({ local }: ChosenListener, request: ExplainRequest): RbacSubject {
  const { tls, identity, remoteAddress } = request;
  const peer = identity === "" ? undefined : { uris: [identity], dns: [], subject: "" };
  const forwarded = getHeader(request.headers, "x-forwarded-for");
  return {
    connection: {
      remoteAddress,
      localAddress: local.address,
      localPort: local.port,
      tls: tls && { peer },
    },
    serverName: tls?.serverName ?? "",
    remoteAddress: forwarded === undefined ? remoteAddress : forwarded.slice(forwarded.lastIndexOf(",") + 1).trim(),
    request: request.kind === "http" ? request : undefined,
  };
}

const end = (kind: ExplainedEnd["kind"], status = 0, details = ""): ExplainedEnd => ({
  kind,
  status,
  details,
  location: "",
});

/** What the filter that looks at tokens notes of the request; undefined: nobody said which token it has. */
function notedOfToken(
  { httpFilters }: HttpConnectionManager,
  { token, nowSec }: ExplainRequest,
): { metadata: RequestView["dynamicMetadata"]; reroutes: boolean } {
  if (token === undefined) return { metadata: undefined, reroutes: false };
  for (const { configType } of httpFilters) {
    const config = configType.case === "typedConfig" ? anyUnpack(configType.value, JwtAuthenticationSchema) : undefined;
    if (config === undefined) continue;
    const { metadata, reroutes } = judgeJwt(config, token, nowSec);
    return { metadata: { [jwtMetadata]: metadata }, reroutes };
  }
  return { metadata: {}, reroutes: true };
}
