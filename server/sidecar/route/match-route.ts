import type { RequestView } from "../match/request-view.ts";
import { Runtime } from "../runtime.ts";
import type { CompiledRoute, WeightedTarget } from "./compile-route.ts";
import { findRoute, type RouteTable } from "./route-table.ts";

export interface RouteMatchInput {
  authority: string;
  path: string;
  method?: string;
  scheme?: string;
  /** Flat [name, value, …], names in lower case. */
  headers?: readonly string[];
}

/** What a request would meet; everything a translation test wants to know, without a socket. */
export interface RouteMatchResult {
  virtualHost: string;
  routeName: string;
  /** The one cluster drawn by `random`; empty unless the route forwards. */
  cluster: string;
  /** Every cluster with its share of the route's traffic. */
  weights: readonly { cluster: string; share: number }[];
  route: CompiledRoute;
}

/** Pure: the same table, request and random numbers give the same answer. Undefined when no virtual host or no route matches. */
export function matchRoute(
  table: RouteTable,
  input: RouteMatchInput,
  random: () => number = Math.random,
): RouteMatchResult | undefined {
  const view: RequestView = { method: "GET", scheme: "http", headers: [], ...input };
  const host = table.find(view.authority);
  const route = host === undefined ? undefined : findRoute(host, view, { random, runtime: new Runtime() });
  if (host === undefined || route === undefined) return undefined;
  const action = route.action;
  if (action.kind !== "forward") {
    return { virtualHost: host.name, routeName: route.name, cluster: "", weights: [], route };
  }
  return {
    virtualHost: host.name,
    routeName: route.name,
    cluster: pickTarget(action.clusters, action.totalWeight, random).cluster,
    weights: action.clusters.map(({ cluster, weight }) => ({ cluster, share: weight / action.totalWeight })),
    route,
  };
}

/** Draws by weight; there is at least one target with a weight. */
export function pickTarget(targets: readonly WeightedTarget[], total: number, random: () => number): WeightedTarget {
  if (targets.length === 1) return targets[0] as WeightedTarget;
  let left = random() * total;
  let last = targets[0] as WeightedTarget;
  for (const target of targets) {
    if (target.weight === 0) continue;
    last = target;
    left -= target.weight;
    if (left < 0) return target;
  }
  return last;
}
