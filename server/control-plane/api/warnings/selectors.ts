import type { ConfigObject } from "../../../config/object.ts";
import { formatKey, keyOf } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { memo } from "../../../lib/memo.ts";
import { labelsOf } from "../../../model/endpoints.ts";
import { covers, isWildcard } from "../../../model/hostname.ts";
import { type Labels, matchesLabels } from "../../../model/labels.ts";
import { olderFirst, type Service } from "../../../model/service.ts";
import { isVisible } from "../../../model/visibility.ts";
import { unknownHost } from "./destinations.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** The labels that an object goes by, and where they stand. */
function selectorOf({ kind, spec }: ConfigObject): { path: string; labels: Labels } | undefined {
  const { workloadSelector, selector } = spec as {
    workloadSelector?: { labels?: Labels; matchLabels?: Labels };
    selector?: { matchLabels?: Labels };
  };
  const found =
    kind === "Sidecar" || kind === "EnvoyFilter"
      ? { path: "spec.workloadSelector.labels", labels: workloadSelector?.labels ?? {} }
      : kind === "DestinationRule"
        ? { path: "spec.workloadSelector.matchLabels", labels: workloadSelector?.matchLabels ?? {} }
        : { path: "spec.selector.matchLabels", labels: selector?.matchLabels ?? {} };
  return Object.keys(found.labels).length > 0 ? found : undefined;
}

/** A selector that no workload has the labels of, nor a gateway that is connected. */
export function* idleSelector(object: ConfigObject, facts: Facts): Generator<Finding> {
  const selector = selectorOf(object);
  if (selector === undefined) return;
  const { namespace } = object.metadata;
  // A DestinationRule selects in its own namespace, wherever that is.
  const isEverywhere = namespace === facts.mesh.options.rootNamespace && object.kind !== "DestinationRule";
  const workloads = [...facts.objects("WorkloadEntry")].filter(
    (one) => isEverywhere || one.metadata.namespace === namespace,
  );
  const known = [...workloads.map(labelsOf), ...(facts.gatewayProxies ?? []).map(({ labels }) => labels)];
  if (known.some((labels) => matchesLabels(selector.labels, labels))) return;
  const wanted = Object.entries(selector.labels).map(([key, value]) => `${key}=${value}`);
  const labels = wanted.join(", ");
  const nobody = isEverywhere ? told("selector-nobody", { labels }) : told("selector-nobody-in", { namespace, labels });
  yield { path: selector.path, ...nobody };
}

/** Two objects that select the same workloads, where only the oldest counts. */
export function* rivalSelectors(object: ConfigObject, facts: Facts): Generator<Finding> {
  const own = formatKey(keyOf(object));
  const rival = scopes(facts, object.kind)
    .get(scopeOf(object))
    ?.find((other) => formatKey(keyOf(other)) !== own);
  if (rival === undefined) return;
  const winner = olderFirst(rival, object) < 0 ? "that" : "this";
  const other = { object: `${object.kind} ${rival.metadata.namespace}/${rival.metadata.name}` };
  yield { path: "", ...told(`${selectorOf(object) ? "selector" : "whole"}-${winner}`, other) };
}

const scopes = (facts: Facts, kind: string): ReadonlyMap<string, readonly ConfigObject[]> =>
  memo(facts.mesh, `selectors of ${kind}`, [], () => Map.groupBy(facts.objects(kind), scopeOf));

/** What has targets is for those alone. */
function scopeOf(object: ConfigObject): string {
  const { targetRef, targetRefs = [] } = object.spec as { targetRef?: unknown; targetRefs?: unknown[] };
  if (targetRef !== undefined || targetRefs.length > 0) return formatKey(keyOf(object));
  const labels = Object.entries(selectorOf(object)?.labels ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([object.metadata.namespace, labels]);
}

/** Hosts that a Sidecar lets its workloads call and that no service has, that are there twice, or that one for all makes needless. */
export function* doubtfulEgress({ metadata, spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { egress = [] } = spec as { egress?: { hosts: string[] }[] };
  const all = egress.flatMap(({ hosts }) => hosts);
  const seen = new Set<string>();
  for (const [index, { hosts }] of egress.entries()) {
    for (const [position, entry] of hosts.entries()) {
      const path = `spec.egress[${index}].hosts[${position}]`;
      if (seen.has(entry)) yield { path, ...told("egress-twice", { entry }) };
      else if (entry === "*/*" && all.length > 1) yield { path, ...told("egress-all", {}) };
      seen.add(entry);
      const [namespace = "", name = ""] = entry.split("/");
      if (namespace === "~" || name.startsWith("*")) continue;
      const of = namespace === "." ? metadata.namespace : namespace;
      const host = facts.resolve(name, namespace === "*" ? metadata.namespace : of);
      const isMeant = (service: Service) => namespace === "*" || service.namespace === of;
      const visible = facts.anywhere(host).filter((one) => isVisible(one.exportTo, one.namespace, metadata.namespace));
      if (visible.some(isMeant) || wildcards(facts).some((one) => covers(one.hostname, host) && isMeant(one))) continue;
      const [elsewhere] = visible;
      const why = elsewhere
        ? told("egress-elsewhere", { host, namespace: elsewhere.namespace })
        : unknownHost(host, metadata.namespace, facts, "egress");
      yield { path, ...why };
    }
  }
}

const wildcards = ({ mesh: { services } }: Facts): readonly Service[] =>
  memo(services, "wildcard services", [], () => [...services.values()].filter(({ hostname }) => isWildcard(hostname)));
