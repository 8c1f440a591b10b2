import type { ServiceRef } from "../../../config/edits/index.ts";
import type { HTTPFaultInjection, HTTPRoute, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import type { ConfigObject } from "../../../config/object.ts";
import type { Commit, ConfigChange } from "../../../config/store.ts";
import type { Change } from "../../../contract/index.ts";
import { faultsOfChange } from "./change-faults.ts";

/** A commit in few words, for people: the writer's own, or what is seen from the objects. */
export function toChange(commit: Commit, services: readonly ServiceRef[] = []): Change {
  const seen: Description = describeTraffic(commit.changes) ?? {
    kind: "config",
    summary: describeObjects(commit.changes),
  };
  const faults = faultsOfChange(commit.changes, services);
  return {
    revision: commit.revision,
    at: commit.at,
    author: commit.author,
    kind: seen.kind,
    summary: commit.reason ?? seen.summary,
    ...(seen.weights && { weights: seen.weights }),
    ...(faults && { faults }),
    objects: commit.changes.map(({ type, key }) => ({ type, ...key })),
  };
}

/** What the changes do, in few words. */
export const describeChanges = (changes: readonly ConfigChange[]): string =>
  describeTraffic(changes)?.summary ?? describeObjects(changes);

type Description = Pick<Change, "kind" | "summary" | "weights">;

/** `reviews 80/20/0 → 70/20/10`, `fault on ratings: 50 % 503`; undefined when neither weights nor faults changed. */
export function describeTraffic(changes: readonly ConfigChange[]): Description | undefined {
  const found = changes
    .filter((change) => change.key.kind === "VirtualService")
    .flatMap((change) => describeVirtualService(routesOf(change.before), routesOf(change.after)));
  // Objects that are made alone, or with their DestinationRule, are told by what they do; a whole mesh that is set up is not.
  if (found.length === 0 && changes.length <= 2) found.push(...firstSplits(changes));
  const [first] = found;
  if (first === undefined) return undefined;
  // A fault that begins outweighs one that ends, and both outweigh weights: it is what one looks for in the history.
  const kind = (["fault-start", "fault-end", "traffic"] as const).find((one) =>
    found.some((item) => item.kind === one),
  );
  const weights = found.find((item) => item.weights)?.weights;
  return {
    kind: kind ?? first.kind,
    summary: [...new Set(found.map((item) => item.summary))].join(", "),
    ...(weights && { weights }),
  };
}

const routesOf = (object: ConfigObject | undefined): HTTPRoute[] =>
  (object?.spec as VirtualServiceSpec | undefined)?.http ?? [];

function describeVirtualService(before: HTTPRoute[], after: HTTPRoute[]): Description[] {
  const ended = faultsOf(before);
  const started: Description[] = [];
  for (const [text, service] of faultsOf(after)) {
    if (!ended.delete(text))
      started.push({ kind: "fault-start", summary: `fault on ${service}: ${text.split("\n")[0]}` });
  }
  const ends = [...ended.values()].map((service) => ({
    kind: "fault-end" as const,
    summary: `fault on ${service} ended`,
  }));
  return [...started, ...ends, ...weightChanges(before, after)];
}

/** What each fault does, in words, followed by its whole definition so that equal words don't hide a change → the service. */
function faultsOf(routes: readonly HTTPRoute[]): Map<string, string> {
  const faults = new Map<string, string>();
  for (const route of routes) {
    if (!route.fault) continue;
    const definition = JSON.stringify([route.fault, route.match]);
    faults.set(`${describeFault(route.fault)}\n${definition}`, serviceOf(route));
  }
  return faults;
}

function describeFault({ delay, abort }: HTTPFaultInjection): string {
  const parts: string[] = [];
  if (delay) parts.push(`${delay.percentage?.value ?? delay.percent ?? 0} % ${delay.fixedDelay} late`);
  if (abort) parts.push(`${abort.percentage?.value ?? 0} % ${abort.httpStatus ?? abort.grpcStatus ?? "aborted"}`);
  return parts.join(" and ");
}

/** Rules are paired by what they match: an inserted rule shifts the ones below it. */
function weightChanges(before: HTTPRoute[], after: HTTPRoute[]): Description[] {
  const matchOf = (route: HTTPRoute): string => JSON.stringify(route.match ?? null);
  const byMatch = new Map<string, HTTPRoute>();
  for (const route of before) if (!byMatch.has(matchOf(route))) byMatch.set(matchOf(route), route);
  return after.flatMap((route): Description[] => {
    const old = byMatch.get(matchOf(route));
    if (!old?.route?.length || !route.route?.length || serviceOf(old) !== serviceOf(route)) return [];
    const [from, to] = [weightsOf(old), weightsOf(route)];
    const subsets = [...new Set([...from.keys(), ...to.keys()])].sort();
    if (subsets.every((subset) => (from.get(subset) ?? 0) === (to.get(subset) ?? 0))) return [];
    // Which versions a whole service stands for isn't known here.
    const text = (weights: Map<string, number>): string =>
      weights.has("") ? "all versions" : shares(weights, subsets.filter(Boolean));
    const weights = { before: from.has("") ? null : text(from), after: text(to) };
    return [{ kind: "traffic", summary: `${serviceOf(route)} ${text(from)} → ${text(to)}`, weights }];
  });
}

const firstSplits = (changes: readonly ConfigChange[]): Description[] =>
  changes
    .filter((change) => change.type === "ADDED" && change.key.kind === "VirtualService")
    .flatMap((change) => routesOf(change.after))
    .filter((route) => (route.route?.length ?? 0) > 1)
    .map((route) => {
      const weights = weightsOf(route);
      const after = shares(weights, [...weights.keys()].sort());
      return { kind: "traffic", summary: `${serviceOf(route)} → ${after}`, weights: { before: null, after } };
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

const verbs = { ADDED: "created", MODIFIED: "changed", DELETED: "deleted" } as const;

function describeObjects(changes: readonly ConfigChange[]): string {
  const parts: string[] = [];
  for (const type of ["ADDED", "MODIFIED", "DELETED"] as const) {
    const some = changes.filter((change) => change.type === type).map(({ key }) => `${key.kind} ${key.name}`);
    if (some.length > 3) parts.push(`${verbs[type]} ${some.length} objects`);
    else if (some.length > 0) parts.push(`${verbs[type]} ${some.join(", ")}`);
  }
  return parts.join("; ");
}
