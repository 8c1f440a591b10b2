import type { CanarySpec } from "../../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** A service that is not there, versions without an endpoint, others that move the same weights, thresholds that hold nothing up. */
export function* doubtfulCanary(object: ConfigObject, facts: Facts): Generator<Finding> {
  const { from, to, thresholds } = object.spec as CanarySpec;
  const { namespace, name } = serviceNamed(object);
  const host = facts.resolve(name, namespace);
  if (facts.service(host, namespace) === undefined) {
    yield { path: "spec.service.name", ...told("no-service", { name, namespace }) };
  } else {
    const subsets = facts.subsets(host, namespace);
    for (const [path, wanted] of [
      ["spec.from", from],
      ["spec.to", to],
    ] as const) {
      const version = subsets.get(wanted)?.labels?.version ?? wanted;
      const isThere = facts.endpoints(host, namespace).some((labels) => labels.version === version);
      if (!isThere) yield { path, ...told("version-nobody", { name, version }) };
    }
  }
  if (thresholds?.successRate?.min === 0 && thresholds.successRate.maxDrop === undefined)
    yield { path: "spec.thresholds.successRate.min", ...told("stops-nothing", {}) };
  for (const other of facts.objects("Canary")) {
    const theirs = serviceNamed(other);
    if (formatKey(keyOf(other)) === formatKey(keyOf(object))) continue;
    if (theirs.namespace !== namespace || theirs.name !== name || isOver(other)) continue;
    const rival = `${other.metadata.namespace}/${other.metadata.name}`;
    yield { path: "spec.service", ...told("canary-rival", { object: rival }) };
  }
}

function serviceNamed({ metadata, spec }: ConfigObject) {
  const { service } = spec as CanarySpec;
  return { namespace: service.namespace ?? metadata.namespace, name: service.name };
}

const isOver = ({ status }: ConfigObject): boolean => ["Succeeded", "RolledBack"].includes(String(status?.phase));
