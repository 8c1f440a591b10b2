import { create, type JsonObject, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Route,
  type RouteActionSchema,
  RouteSchema,
  type WeightedCluster_ClusterWeightSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { CorsPolicySchema } from "../gen/proto/envoy/extensions/filters/http/cors/v3/cors_pb.js";
import { HTTPFaultSchema } from "../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { memo } from "../lib/memo.ts";
import { fusedFaults } from "../model/fault-leases.ts";
import { matchesLabels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Service } from "../model/service.ts";
import type { Destination, HTTPMatchRequest, HTTPRoute, HTTPRouteDestination } from "../model/specs.ts";
import { originOf, type VirtualService } from "../model/virtual-service.ts";
import { cors, corsFilter } from "./cors.ts";
import { fault, faultFilter } from "./fault.ts";
import { consistentHashOf, hashPolicies } from "./hash-policy.ts";
import { authorityOf, type HeaderMutations, headerMutations } from "./headers.ts";
import { isCatchAll, operationPath, routeMatch } from "./match.ts";
import { configPath, istioMetadata } from "./metadata.ts";
import { mirrorPolicies } from "./mirror.ts";
import { blackHoleCluster, operation, outboundCluster } from "./names.ts";
import { directResponse, redirect } from "./redirect.ts";
import { retryPolicy } from "./retry.ts";
import { hostRewrite, pathRewrite } from "./rewrite.ts";
import { routeScopeKey, type Scope } from "./scope.ts";
import { routeTimeout } from "./timeout.ts";

type RouteActionInit = MessageInitShape<typeof RouteActionSchema>;
type WeightInit = MessageInitShape<typeof WeightedCluster_ClusterWeightSchema>;

/** Where a VirtualService is applied. */
export interface RouteContext {
  mesh: Mesh;
  scope: Scope;
  /** The port that the request comes in on: it is the destination's too, where the rule and the service leave it open. */
  port: number;
  /** `mesh`, or the `<namespace>/<name>` of the Gateway. */
  gateway: string;
  /** Where clients come to, when that is another. */
  requestPort?: number;
}

/** A VirtualService's routes, in order, up to the first that takes everything. Empty: none is for this proxy. */
export function virtualServiceRoutes(virtualService: VirtualService, context: RouteContext): readonly Route[] {
  const { mesh, port, gateway, scope, requestPort = port } = context;
  const key = `${port} ${requestPort} ${gateway} ${routeScopeKey(scope, virtualService)}`;
  // With another rule changed nothing is looked at; with a service, what the routes take of it.
  const { destinationRules } = mesh;
  const around = [scope.services, destinationRules.hashes && destinationRules, mesh.options];
  return memo(virtualService, `routes among ${key}`, around, () => {
    const clusters = destinationsOf(virtualService).map((it) => clusterOf(it, context));
    const hashes = clusters.map((cluster) => JSON.stringify(hashOf(cluster, context)));
    return memo(virtualService, `routes ${key}`, [...clusters, ...hashes], () => buildRoutes(virtualService, context));
  });
}

const hashOf = (cluster: string, { mesh, scope }: RouteContext) => consistentHashOf(mesh, scope, cluster);

/** What a service without a VirtualService gets. */
export function defaultRoute(service: Service, context: RouteContext): Route {
  const { port } = context;
  const cluster = outboundCluster(port, "", service.hostname);
  const hash = hashOf(cluster, context);
  const key = `route ${port} ${hash && JSON.stringify(hash)}`;
  return memo(service, key, [], () =>
    create(RouteSchema, {
      name: "default",
      match: routeMatch(undefined),
      decorator: { operation: operation(service.hostname, port, "/*") },
      action: {
        case: "route",
        value: {
          clusterSpecifier: { case: "cluster", value: cluster },
          hashPolicy: hashPolicies([hash]),
          ...routeTimeout(undefined),
          retryPolicy: retryPolicy(undefined),
        },
      },
    }),
  );
}

function buildRoutes(virtualService: VirtualService, context: RouteContext): Route[] {
  const routes: Route[] = [];
  const leases = context.scope.faultLeases ? fusedFaults(virtualService) : undefined;
  for (const [index, http] of virtualService.http.entries()) {
    for (const [place, match] of (http.match?.length ? http.match : [undefined]).entries()) {
      if (match && !applies(match, context)) continue;
      const from = writtenAt(virtualService, index, match && place);
      routes.push(buildRoute(virtualService, { http, match, from, lease: leases?.get(index) }, context));
      if (isCatchAll(routeMatch(match))) return routes;
    }
  }
  return routes;
}

/** Gateways in a match stand in for the source; source labels count only inside the mesh. */
function applies(match: HTTPMatchRequest, { port, gateway, scope }: RouteContext): boolean {
  if (match.port && match.port !== port) return false;
  if (match.gateways?.length) return match.gateways.includes(gateway);
  if (!matchesLabels(match.sourceLabels ?? {}, scope.labels)) return false;
  return !match.sourceNamespace || match.sourceNamespace === scope.namespace;
}

interface Rule {
  http: HTTPRoute;
  match: HTTPMatchRequest | undefined;
  /** Where it is written. */
  from: JsonObject;
  /** The name under which its fault stands in the runtime. */
  lease: string | undefined;
}

/** Where a rule stands, for the metadata of its route; a delegate's with the rule by which its root hands over to it. */
function writtenAt(virtualService: VirtualService, index: number, place: number | undefined): JsonObject {
  const { source, index: own, root, matches } = originOf(virtualService, index);
  const at = root === undefined ? place : place === undefined ? undefined : matches?.[place];
  const written = { config: pathOf(source), rule: at === undefined ? `http[${own}]` : `http[${own}].match[${at}]` };
  return root === undefined ? written : { ...written, root: pathOf(virtualService.source), rootRule: `http[${root}]` };
}

const pathOf = ({ metadata: { namespace, name } }: VirtualService["source"]): string =>
  configPath("virtual-service", namespace, name);

function buildRoute(virtualService: VirtualService, { http, match, from, lease }: Rule, context: RouteContext): Route {
  const name = http.name || "default";
  const path = routeMatch(match);
  const { action, headers } = routeAction(http, context);
  const cluster =
    action?.case === "route" && action.value.clusterSpecifier?.case === "cluster"
      ? action.value.clusterSpecifier.value.split("|")
      : undefined;
  const [, port = String(context.port), , host = virtualService.name] = cluster ?? [];
  return create(RouteSchema, {
    name: match?.name ? `${name}.${match.name}` : name,
    match: path,
    metadata: istioMetadata(from),
    statPrefix: match?.statPrefix ?? "",
    decorator: { operation: operation(host, Number(port), operationPath(path)) },
    ...headers,
    ...(action && { action }),
    typedPerFilterConfig: filterConfigs(http, lease),
  });
}

type ActionInit = MessageInitShape<typeof RouteSchema>["action"];

function routeAction(http: HTTPRoute, context: RouteContext): { action: ActionInit; headers: HeaderMutations } {
  const headers = headerMutations(http.headers);
  if (http.redirect) {
    const { port, requestPort = port } = context;
    return { action: { case: "redirect", value: redirect(http.redirect, requestPort) }, headers };
  }
  if (http.directResponse) {
    return { action: { case: "directResponse", value: directResponse(http.directResponse) }, headers };
  }
  const route = http.route ?? [];
  const [first] = route;
  const single = route.length === 1 ? first : undefined;
  const authority = http.rewrite?.authority || authorityOf(http.headers);
  const value: RouteActionInit = {
    clusterSpecifier: clusterSpecifier(route, context),
    ...routeTimeout(http.timeout),
    retryPolicy: retryPolicy(http.retries),
    hashPolicy: hashPolicies(route.map((it) => hashOf(clusterOf(it.destination, context), context))),
    requestMirrorPolicies: mirrorPolicies(http, (destination) => clusterOf(destination, context)),
    ...pathRewrite(http.rewrite),
    ...hostRewrite(authority || (single && authorityOf(single.headers))),
  };
  return {
    action: { case: "route", value },
    headers: single ? join(headers, headerMutations(single.headers)) : headers,
  };
}

function clusterSpecifier(
  route: readonly HTTPRouteDestination[],
  context: RouteContext,
): RouteActionInit["clusterSpecifier"] {
  const [first] = route;
  if (route.length === 1 && first) return { case: "cluster", value: clusterOf(first.destination, context) };
  const clusters = route.filter((it) => (it.weight ?? 0) > 0).map((it) => clusterWeight(it, context));
  // Envoy refuses an empty list; validation of the VirtualService refuses it before.
  if (clusters.length === 0) return { case: "cluster", value: blackHoleCluster };
  return { case: "weightedClusters", value: { clusters } };
}

function clusterWeight(route: HTTPRouteDestination, context: RouteContext): WeightInit {
  const authority = authorityOf(route.headers);
  return {
    name: clusterOf(route.destination, context),
    weight: route.weight ?? 0,
    ...headerMutations(route.headers),
    ...(authority && { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: authority } }),
  };
}

function join(a: HeaderMutations, b: HeaderMutations): HeaderMutations {
  return {
    requestHeadersToAdd: [...a.requestHeadersToAdd, ...b.requestHeadersToAdd],
    requestHeadersToRemove: [...a.requestHeadersToRemove, ...b.requestHeadersToRemove],
    responseHeadersToAdd: [...a.responseHeadersToAdd, ...b.responseHeadersToAdd],
    responseHeadersToRemove: [...a.responseHeadersToRemove, ...b.responseHeadersToRemove],
  };
}

function filterConfigs(http: HTTPRoute, lease: string | undefined): Record<string, Any> {
  const message = http.fault && fault(http.fault, lease);
  return {
    ...(message && { [faultFilter]: anyPack(HTTPFaultSchema, message) }),
    ...(http.corsPolicy && { [corsFilter]: anyPack(CorsPolicySchema, cors(http.corsPolicy)) }),
  };
}

const destinationsOf = (virtualService: VirtualService): readonly Destination[] =>
  memo(virtualService, "destinations", [], () =>
    virtualService.http.flatMap((http) => [
      ...(http.route ?? []).map((it) => it.destination),
      ...(http.mirror ? [http.mirror] : []),
      ...(http.mirrors ?? []).map((it) => it.destination),
    ]),
  );

/** All that a route takes from the rest of the mesh. Its port: the destination's own, else the service's only one, else the request's. */
export function clusterOf(
  { host, subset = "", port }: Destination,
  { scope, port: requestPort }: Pick<RouteContext, "scope" | "port">,
): string {
  const ports = scope.services.get(host)?.ports ?? [];
  const number = port?.number ?? (ports.length === 1 ? ports[0]?.port : undefined) ?? requestPort;
  return outboundCluster(number, subset, host);
}
