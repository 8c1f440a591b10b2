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
    if (old === undefined || !hostsOf(old).some((host) => hostsOf(route).includes(host))) return [];
    const names = namesOf(old, route);
    const [from, to] = [weightsOf(old, names.of), weightsOf(route, names.of)];
    const parts = [...new Set([...from.keys(), ...to.keys()])].sort();
    if (parts.every((part) => (from.get(part) ?? 0) === (to.get(part) ?? 0))) return [];
    // Which versions a whole service stands for isn't known here.
    const told = (weights: Map<string, number>): string | null =>
      weights.has("") ? null : shares(weights, parts.filter(Boolean));
    return [{ code: "shift", service: names.service ?? parts.join("/"), before: told(from), after: told(to) }];
  });
}

const firstSplits = (changes: readonly ConfigChange[]): ChangeWord[] =>
  changes
    .filter((change) => change.type === "ADDED" && change.key.kind === "VirtualService")
    .flatMap((change) => routesOf(change.after))
    .filter((route) => (route.route?.length ?? 0) > 1)
    .map((route) => {
      const names = namesOf(route);
      const weights = weightsOf(route, names.of);
      const parts = [...weights.keys()].sort();
      return { code: "split", service: names.service ?? parts.join("/"), after: shares(weights, parts) };
    });

const shares = (weights: Map<string, number>, subsets: readonly string[]): string =>
  subsets.map((subset) => weights.get(subset) ?? 0).join("/");

/**
 * What the destinations of these rules are called: by subset where all are of one `service`, the empty name for the whole of it;
 * otherwise by host, with the subset where there is one.
 */
function namesOf(...routes: HTTPRoute[]): { service?: string; of: (destination: Destination) => string } {
  const hosts = new Set(routes.flatMap(hostsOf));
  const [route] = routes;
  if (hosts.size <= 1 && route !== undefined) return { service: serviceOf(route), of: ({ subset }) => subset ?? "" };
  return { of: ({ host, subset }) => [shortName(host), ...(subset ? [subset] : [])].join(" ") };
}

/** A lone destination gets everything, whatever its weight says. */
function weightsOf(route: HTTPRoute, nameOf: (destination: Destination) => string): Map<string, number> {
  const destinations = route.route ?? [];
  const weights = new Map<string, number>();
  for (const { destination, weight } of destinations) {
    const name = nameOf(destination);
    weights.set(name, (weights.get(name) ?? 0) + (destinations.length === 1 ? 100 : (weight ?? 0)));
  }
  return weights;
}

type Destination = NonNullable<HTTPRoute["route"]>[number]["destination"];

const hostsOf = ({ route = [] }: HTTPRoute): string[] => route.map(({ destination }) => destination.host);

const shortName = (host: string): string => host.split(".")[0] ?? host;

const serviceOf = (route: HTTPRoute): string => shortName(route.route?.[0]?.destination.host ?? "requests");
