import {
  type Route,
  RouteSchema,
  type VirtualHost,
  VirtualHostSchema,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type RouteConfiguration, RouteConfigurationSchema } from "../../gen/proto/envoy/config/route/v3/route_pb.js";
import { editList, mapList } from "./edit-list.ts";
import { merged } from "./merge.ts";
import { isIn, type Patch, type PatchContext, type PatchSet } from "./patch-set.ts";

/** A route configuration with all that is patched in it, virtual hosts that it carries itself included. */
export function patchRouteConfiguration(
  configuration: RouteConfiguration,
  set: PatchSet,
  context: PatchContext,
): RouteConfiguration {
  const { name } = configuration;
  const result = patchesOfTable(set.routeConfigurations, name, context).reduce(
    (before, { value }) => (value ? merged(RouteConfigurationSchema, before, value) : before),
    configuration,
  );
  const kept = mapList(result.virtualHosts, (host) => patchVirtualHost(host, name, set, context));
  const added = result.vhds ? [] : addedVirtualHosts(name, set, context);
  const virtualHosts = added.length > 0 ? [...kept, ...added] : kept;
  return virtualHosts === result.virtualHosts ? result : { ...result, virtualHosts: [...virtualHosts] };
}

export const addedVirtualHosts = (table: string, set: PatchSet, context: PatchContext): VirtualHost[] =>
  patchesOfTable(set.virtualHosts, table, context).flatMap(({ operation, value }) =>
    operation === "ADD" && value ? [value] : [],
  );

/** Undefined: it is removed. */
export function patchVirtualHost(
  host: VirtualHost,
  table: string,
  set: PatchSet,
  context: PatchContext,
): VirtualHost | undefined {
  let result = host;
  for (const { operation, value, match } of patchesOfTable(set.virtualHosts, table, context)) {
    if (!isHost(host, match)) continue;
    if (operation === "REMOVE") return undefined;
    if (operation === "REPLACE" && value) result = value;
    if (operation === "MERGE" && value) result = merged(VirtualHostSchema, result, value);
  }
  const patches = patchesOfTable(set.httpRoutes, table, context).filter(({ match }) => isHost(host, match));
  const merges = patches.filter(({ operation }) => operation === "MERGE" || operation === "REMOVE");
  const kept = mapList(result.routes, (route) => patchRoute(route, merges));
  const routes = patches
    .filter(({ operation }) => operation !== "MERGE" && operation !== "REMOVE")
    .reduce<readonly Route[]>((list, patch) => {
      const wanted = patch.match.routeConfiguration?.vhost?.route;
      // The first place is for a route beside one that is there.
      if (patch.operation === "INSERT_FIRST" && wanted && !list.some((route) => isRoute(route, patch.match)))
        return list;
      return editList(list, patch, wanted !== undefined, (route) => isRoute(route, patch.match));
    }, kept);
  return routes === result.routes ? result : { ...result, routes: [...routes] };
}

function patchRoute(route: Route, patches: readonly Patch<Route>[]): Route | undefined {
  let result = route;
  for (const { operation, match, value } of patches) {
    if (!isRoute(route, match)) continue;
    if (operation === "REMOVE") return undefined;
    if (value) result = merged(RouteSchema, result, value);
  }
  return result;
}

type Match = Patch<unknown>["match"];

const patchesOfTable = <T>(patches: readonly Patch<T>[], table: string, context: PatchContext): readonly Patch<T>[] =>
  patches.filter((patch) => isIn(patch, context) && isTable(table, patch.match, context));

/** Sidecars' tables are called by their port; a gateway's `http.<port>`, or `https.<port>.<port name>.<gateway>.<namespace>`. */
function isTable(table: string, { routeConfiguration: wanted }: Match, context: PatchContext): boolean {
  if (wanted === undefined) return true;
  if (wanted.name !== undefined && wanted.name !== table) return false;
  const { portNumber, portName, gateway } = wanted;
  if (context !== "GATEWAY") {
    const port = table.startsWith("inbound|") ? table.split("|")[1] : table;
    return portNumber === undefined || Number(port) === portNumber;
  }
  const [protocol, port, name, ...owner] = table.split(".");
  const isHttps = protocol === "https";
  return (
    (portNumber === undefined || Number(port) === portNumber) &&
    (portName === undefined || (isHttps && name === portName)) &&
    (gateway === undefined || (isHttps && gateway === owner.toReversed().join("/")))
  );
}

function isHost({ name, domains }: VirtualHost, { routeConfiguration: wanted }: Match): boolean {
  const host = wanted?.vhost;
  return (
    (host?.name === undefined || host.name === name) &&
    (host?.domainName === undefined || domains.includes(host.domainName))
  );
}

const actions: Readonly<Record<string, string>> = {
  route: "ROUTE",
  redirect: "REDIRECT",
  directResponse: "DIRECT_RESPONSE",
};

function isRoute({ name, action }: Route, { routeConfiguration: wanted }: Match): boolean {
  const route = wanted?.vhost?.route;
  if (route === undefined) return true;
  const kind = route.action ?? "ANY";
  return (route.name === undefined || route.name === name) && (kind === "ANY" || kind === actions[action.case ?? ""]);
}
