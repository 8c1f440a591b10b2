import type { HTTPRoute, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { ConfigChange } from "../../../config/store.ts";
import type { ChangeWord } from "../../../contract/index.ts";

/** What the changes do to weights and faults, each once; empty when neither changed. */
export function trafficWords(changes: readonly ConfigChange[]): ChangeWord[] {
  const found = changes
    .filter((change) => change.key.kind === "VirtualService")
    .flatMap((change) => routeWords(routesOf(change.before), routesOf(change.after)));
  // Objects that are made alone, or with their DestinationRule, are told by what they do; a whole mesh that is set up is not.
  if (found.length === 0 && changes.length <= 2) found.push(...firstSplits(changes));
  return [...new Map(found.map((word) => [JSON.stringify(word), word])).values()];
}

/** Which objects were made, changed and deleted. */
export function objectWords(changes: readonly ConfigChange[]): ChangeWord[] {
  return (["ADDED", "MODIFIED", "DELETED"] as const).flatMap((type): ChangeWord[] => {
    const names = changes.filter((change) => change.type === type).map(({ key }) => `${key.kind} ${key.name}`);
    if (names.length === 0) return [];
    return [{ code: "objects", type, count: names.length, names: names.length > 3 ? [] : names }];
  });
}

const routesOf = (object: ConfigObject | undefined): HTTPRoute[] =>
  (object?.spec as VirtualServiceSpec | undefined)?.http ?? [];

function routeWords(before: HTTPRoute[], after: HTTPRoute[]): ChangeWord[] {
  const ended = faultsOf(before);
  const started: ChangeWord[] = [];
  for (const [definition, word] of faultsOf(after)) if (!ended.delete(definition)) started.push(word);
  const ends = [...ended.values()].map(({ service }): ChangeWord => ({ code: "fault-end", service }));
  return [...started, ...ends, ...shifts(before, after)];
}

/** By the whole definition, as equal words must not hide a change. */
function faultsOf(routes: readonly HTTPRoute[]): Map<string, Extract<ChangeWord, { code: "fault-start" }>> {
  const faults = new Map<string, Extract<ChangeWord, { code: "fault-start" }>>();
  for (const route of routes) {
    if (!route.fault) continue;
    const { delay, abort } = route.fault;
    const status = abort?.httpStatus ?? abort?.grpcStatus;
    faults.set(JSON.stringify([route.fault, route.match]), {
      code: "fault-start",
      service: serviceOf(route),
      delay: delay
        ? { percentage: delay.percentage?.value ?? delay.percent ?? 0, time: delay.fixedDelay ?? "0s" }
        : null,
      abort: abort
        ? { percentage: abort.percentage?.value ?? 0, status: status === undefined ? null : String(status) }
        : null,
    });
  }
  return faults;
}

/** Rules are paired by what they match: an inserted rule shifts the ones below it. */
function shifts(before: HTTPRoute[], after: HTTPRoute[]): ChangeWord[] {
  const matchOf = (route: HTTPRoute): string => JSON.stringify(route.match ?? null);
  const byMatch = new Map<string, HTTPRoute>();
  for (const route of before) if (!byMatch.has(matchOf(route))) byMatch.set(matchOf(route), route);
  return after.flatMap((route): ChangeWord[] => {
    const old = byMatch.get(matchOf(route));
    if (!old?.route?.length || !route.route?.length || serviceOf(old) !== serviceOf(route)) return [];
    const [from, to] = [weightsOf(old), weightsOf(route)];
    const subsets = [...new Set([...from.keys(), ...to.keys()])].sort();
    if (subsets.every((subset) => (from.get(subset) ?? 0) === (to.get(subset) ?? 0))) return [];
    // Which versions a whole service stands for isn't known here.
    const told = (weights: Map<string, number>): string | null =>
      weights.has("") ? null : shares(weights, subsets.filter(Boolean));
    return [{ code: "shift", service: serviceOf(route), before: told(from), after: told(to) }];
  });
}

const firstSplits = (changes: readonly ConfigChange[]): ChangeWord[] =>
  changes
    .filter((change) => change.type === "ADDED" && change.key.kind === "VirtualService")
    .flatMap((change) => routesOf(change.after))
    .filter((route) => (route.route?.length ?? 0) > 1)
    .map((route) => {
      const weights = weightsOf(route);
      return { code: "split", service: serviceOf(route), after: shares(weights, [...weights.keys()].sort()) };
    });

const shares = (weights: Map<string, number>, subsets: readonly string[]): string =>
  subsets.map((subset) => weights.get(subset) ?? 0).join("/");

/** Weight by subset, the empty one for the whole service. A lone destination gets everything, whatever its weight says. */
function weightsOf(route: HTTPRoute): Map<string, number> {
  const destinations = route.route ?? [];
  const weights = new Map<string, number>();
  for (const { destination, weight } of destinations) {
    const name = destination.subset ?? "";
    weights.set(name, (weights.get(name) ?? 0) + (destinations.length === 1 ? 100 : (weight ?? 0)));
  }
  return weights;
}

const serviceOf = (route: HTTPRoute): string => route.route?.[0]?.destination.host.split(".")[0] ?? "requests";
