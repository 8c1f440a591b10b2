import type { DestinationRuleSpec } from "../../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import { type Told, told } from "../../../contract/index.ts";
import { findDestinationRule, selectedRules } from "../../../model/destination-rules.ts";
import type { Mesh } from "../../../model/mesh.ts";
import { olderFirst } from "../../../model/service.ts";
import { meshGateway, type VirtualService } from "../../../model/virtual-service.ts";
import { isVisible, nearestFirst } from "../../../model/visibility.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Two objects of which only one is in force: sidecars follow one VirtualService for a host, only gateways merge several. */
export function* rivalVirtualServices(object: ConfigObject, facts: Facts): Generator<Finding> {
  const own = facts.virtualService(keyOf(object));
  if (!own?.gateways.includes(meshGateway)) return;
  for (const [index, host] of own.hosts.entries()) {
    for (const rival of namedBy(host, facts.mesh.virtualServices)) {
      const meeting = rival === own ? undefined : meetingOf(own, rival, host);
      if (meeting === undefined) continue;
      yield { path: `spec.hosts[${index}]`, ...meeting };
      break;
    }
  }
}

/** The VirtualService that a namespace's clients within the mesh follow for a hostname; undefined: none. */
export function followedBy(viewer: string, hostname: string, { mesh }: Facts): VirtualService | undefined {
  const byAge = namedBy(hostname, mesh.virtualServices)
    .filter(({ gateways }) => gateways.includes(meshGateway))
    .toSorted((a, b) => olderFirst(a.source, b.source));
  return nearestFirst(byAge, viewer)[0];
}

/** All that name the host, whoever sees them. */
export const namedBy = (hostname: string, { exact, wildcard }: Mesh["virtualServices"]): readonly VirtualService[] =>
  exact.get(hostname) ?? wildcard.filter(({ host }) => host === hostname).map(({ virtualService }) => virtualService);

/** DestinationRules of one host in one namespace, that select alike, are merged, but only the oldest traffic policy counts, and the first subset of a name. */
export function* rivalDestinationRules(object: ConfigObject, facts: Facts): Generator<Finding> {
  const spec = object.spec as unknown as DestinationRuleSpec;
  const { namespace } = object.metadata;
  const host = facts.resolve(spec.host, namespace);
  const rules = facts.mesh.destinationRules.byNamespace.get(namespace);
  const known = rules?.exact.get(host) ?? rules?.wildcard.filter((rule) => rule.host === host) ?? [];
  const merged = known.find(({ sources }) => sources.some((source) => isSame(source, object)));
  for (const other of merged?.sources ?? []) {
    if (isSame(other, object)) continue;
    const theirs = other.spec as unknown as DestinationRuleSpec;
    const winner = olderFirst(other, object) < 0 ? "that" : "this";
    const { name } = other.metadata;
    if (spec.trafficPolicy && theirs.trafficPolicy) {
      yield { path: "spec.trafficPolicy", ...told(`policy-${winner}`, { name, host }) };
    }
    for (const [index, { name: subset }] of (spec.subsets ?? []).entries()) {
      if (!theirs.subsets?.some((one) => one.name === subset)) continue;
      yield { path: `spec.subsets[${index}]`, ...told(`subset-${winner}`, { name, subset, host }) };
    }
  }
}

/** What Istio warns of, and refuses, in a rule for some workloads; and subsets of the others' rule that its own clients do without. */
export function* doubtfulSelection(object: ConfigObject, facts: Facts): Generator<Finding> {
  const { metadata, spec } = object;
  const { workloadSelector, exportTo = [] } = spec as unknown as DestinationRuleSpec;
  if (workloadSelector === undefined) return;
  if (Object.keys(workloadSelector.matchLabels ?? {}).length === 0)
    yield { path: "spec.workloadSelector", ...told("selects-all", { namespace: metadata.namespace }) };
  const [other] = exportTo.filter((to) => to !== "." && to !== metadata.namespace);
  if (other) yield { path: "spec.exportTo", ...told("selects-here", { namespace: metadata.namespace, other }) };
  yield* hiddenSubsets(object, facts);
}

/** A client follows one rule for a host: subsets that only the others' has are not there for it, whatever its routes name. */
function* hiddenSubsets(object: ConfigObject, facts: Facts): Generator<Finding> {
  const { namespace } = object.metadata;
  const { destinationRules, virtualServices, options } = facts.mesh;
  const host = facts.resolve((object.spec as unknown as DestinationRuleSpec).host, namespace);
  const own = selectedRules(destinationRules, namespace, host).find(({ sources }) =>
    sources.some((source) => isSame(source, object)),
  );
  const home = facts.service(host, namespace)?.namespace;
  const others = findDestinationRule(destinationRules, host, home, namespace, options.rootNamespace);
  if (own === undefined || others === undefined) return;
  const routes = virtualServices.all.flatMap(({ http, tcp, tls }) =>
    [...http, ...tcp, ...tls].flatMap(({ route = [] }) => route.map(({ destination }) => destination)),
  );
  const hidden = others.subsets.filter(
    ({ name }) =>
      !own.subsets.some((subset) => subset.name === name) &&
      routes.some((destination) => destination.host === host && destination.subset === name),
  );
  if (hidden.length === 0) return;
  const subsets = hidden.map(({ name }) => name).join(", ");
  const rule = `${others.namespace}/${others.name}`;
  yield { path: "spec.subsets", ...told("selects-without", { subsets, object: rule, host }) };
}

export const isSame = (a: ConfigObject, b: ConfigObject): boolean => formatKey(keyOf(a)) === formatKey(keyOf(b));

/** Whom clients that see both follow, by the model's order; undefined when nobody sees both. */
function meetingOf(own: VirtualService, rival: VirtualService, host: string): Told | undefined {
  const sees = ({ exportTo, namespace }: VirtualService, viewer: string) => isVisible(exportTo, namespace, viewer);
  // The empty one stands for every namespace that neither names.
  const viewers = ["", own.namespace, rival.namespace, ...own.exportTo, ...rival.exportTo];
  const viewer = viewers.find((one) => sees(own, one) && sees(rival, one));
  if (viewer === undefined) return undefined;
  const byAge = [own, rival].sort((a, b) => olderFirst(a.source, b.source));
  const [winner] = nearestFirst(byAge, viewer);
  const who = `${winner === rival ? "that" : "this"}-${winner === byAge[0] ? "older" : "nearer"}` as const;
  const met = { object: `${rival.namespace}/${rival.name}`, host };
  return viewer === "" ? told(`rival-${who}`, met) : told(`rival-${who}-in`, { ...met, viewer });
}
