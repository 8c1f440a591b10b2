import type { DestinationRuleSpec, VirtualServiceSpec } from "../../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../../config/object.ts";
import { memo } from "../../../lib/memo.ts";
import { olderFirst } from "../../../model/service.ts";
import { isVisible } from "../../../model/visibility.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Two objects of which only one is in force: sidecars follow one VirtualService for a host, only gateways merge several. */
export function* rivalVirtualServices(object: ConfigObject, facts: Facts): Generator<Finding> {
  const byHost = hostIndex(facts);
  for (const [index, host] of meshHosts(object, facts).entries()) {
    const rival = byHost.get(host)?.find((other) => !isSame(other, object) && meet(other, object));
    if (!rival) continue;
    const { namespace, name } = rival.metadata;
    const winner = olderFirst(rival, object) < 0 ? "that one, the older" : "this one, the older";
    const message = `VirtualService ${namespace}/${name} has the host ${host}, too; sidecars follow ${winner} of the two`;
    yield { path: `spec.hosts[${index}]`, message };
  }
}

/** DestinationRules of one host in one namespace are merged, but only the oldest traffic policy counts, and the first subset of a name. */
export function* rivalDestinationRules(object: ConfigObject, facts: Facts): Generator<Finding> {
  const spec = object.spec as unknown as DestinationRuleSpec;
  const host = facts.resolve(spec.host, object.metadata.namespace);
  for (const other of ruleIndex(facts).get(`${object.metadata.namespace}/${host}`) ?? []) {
    if (isSame(other, object)) continue;
    const theirs = other.spec as unknown as DestinationRuleSpec;
    const isOlder = olderFirst(other, object) < 0;
    const [winner, rule] = [
      isOlder ? "that one's counts" : "this one's counts",
      `DestinationRule ${other.metadata.name}`,
    ];
    if (spec.trafficPolicy && theirs.trafficPolicy) {
      yield { path: "spec.trafficPolicy", message: `${rule} has a policy for ${host}, too; ${winner}` };
    }
    for (const [index, { name }] of (spec.subsets ?? []).entries()) {
      if (!theirs.subsets?.some((subset) => subset.name === name)) continue;
      yield { path: `spec.subsets[${index}]`, message: `${rule} has a subset ${name} of ${host}, too; ${winner}` };
    }
  }
}

const isSame = (a: ConfigObject, b: ConfigObject): boolean => formatKey(keyOf(a)) === formatKey(keyOf(b));

/** Whether some client sees both; two that are private to their own namespaces never meet. */
function meet(a: ConfigObject, b: ConfigObject): boolean {
  const [left, right] = [exportOf(a), exportOf(b)];
  if (isEveryone(left) || isEveryone(right)) return true;
  const namespaces = [...left, ...right, a.metadata.namespace, b.metadata.namespace];
  return namespaces.some(
    (it) => isVisible(left, a.metadata.namespace, it) && isVisible(right, b.metadata.namespace, it),
  );
}

const exportOf = ({ spec }: ConfigObject): readonly string[] => (spec as unknown as VirtualServiceSpec).exportTo ?? [];
const isEveryone = (exportTo: readonly string[]): boolean => exportTo.length === 0 || exportTo.includes("*");

const hostIndex = (facts: Facts): Index =>
  memo(facts.mesh.virtualServices, "mesh hosts", [], () =>
    indexBy(facts.objects("VirtualService"), (object) => meshHosts(object, facts)),
  );

const ruleIndex = (facts: Facts): Index =>
  memo(facts.mesh.destinationRules, "rules by host", [], () =>
    indexBy(facts.objects("DestinationRule"), ({ metadata, spec }) => [
      `${metadata.namespace}/${facts.resolve((spec as unknown as DestinationRuleSpec).host, metadata.namespace)}`,
    ]),
  );

type Index = ReadonlyMap<string, readonly ConfigObject[]>;

function indexBy(objects: Iterable<ConfigObject>, keysOf: (object: ConfigObject) => string[]): Index {
  const index = new Map<string, ConfigObject[]>();
  for (const object of objects) {
    for (const key of keysOf(object)) {
      const known = index.get(key);
      if (known) known.push(object);
      else index.set(key, [object]);
    }
  }
  return index;
}

function meshHosts({ metadata, spec }: ConfigObject, facts: Facts): string[] {
  const { gateways, hosts } = spec as unknown as VirtualServiceSpec;
  if (gateways?.length && !gateways.includes("mesh")) return [];
  return hosts.map((host) => facts.resolve(host, metadata.namespace));
}
