import type { RequestView } from "../match/request-view.ts";
import { Runtime } from "../runtime.ts";
import type { CompiledRoute, ForwardTarget, WeightedTarget } from "./compile-route.ts";
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
  const runtime = new Runtime();
  const route = host === undefined ? undefined : findRoute(host, view, { random, runtime });
  if (host === undefined || route === undefined) return undefined;
  const action = route.action;
  if (action.kind !== "forward") {
    return { virtualHost: host.name, routeName: route.name, cluster: "", weights: [], route };
  }
  return {
    virtualHost: host.name,
    routeName: route.name,
    cluster: pickTarget(action, { runtime, random }).cluster,
    weights: action.clusters.map(({ cluster, weight }) => ({ cluster, share: weight / action.totalWeight })),
    route,
  };
}

/** Draws by weight; there is at least one target with a weight. */
export function pickTarget(
  { clusters: targets, totalWeight }: Pick<ForwardTarget, "clusters" | "totalWeight">,
  { runtime, random }: { readonly runtime: Runtime; readonly random: () => number },
): WeightedTarget {
  const first = targets[0] as WeightedTarget;
  if (targets.length === 1) return first;
  if (first.weightKey !== "") {
    const weights = targets.map(({ weight, weightKey }) => weightOf(runtime, weightKey, weight));
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    // An Envoy does not start with such a runtime, and has no route when it comes later.
    if (total > 0) return draw(targets, weights, random() * total);
  }
  return draw(targets, undefined, random() * totalWeight);
}

/** A whole number of the runtime's goes before the configured weight. */
function weightOf(runtime: Runtime, key: string, weight: number): number {
  const number = runtime.get(key)?.number;
  return number !== undefined && Number.isInteger(number) && number >= 0 ? number : weight;
}

/** @param weights absent: the targets' own */
function draw(targets: readonly WeightedTarget[], weights: readonly number[] | undefined, at: number): WeightedTarget {
  let left = at;
  let last = targets[0] as WeightedTarget;
  for (let i = 0; i < targets.length; i++) {
    const target = targets[i] as WeightedTarget;
    const weight = weights === undefined ? target.weight : (weights[i] as number);
    if (weight === 0) continue;
    last = target;
    left -= weight;
    if (left < 0) return target;
  }
  return last;
}
