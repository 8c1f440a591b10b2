import type { Destination, VirtualServiceSpec } from "../../config/kinds/index.ts";
import { type ConfigObject, formatKey, keyOf } from "../../config/object.ts";
import { covers, resolveHost } from "../../model/hostname.ts";

const domain = "cluster.local";
const maxWarnings = 10;

/**
 * What is valid and yet hardly meant, among everything that is stored: what Istio answers with 503, or takes no notice of. At most ten.
 * https://istio.io/latest/docs/ops/common-problems/network-issues/
 */
export function warningsOf(object: ConfigObject, stored: readonly ConfigObject[]): string[] {
  if (object.kind !== "VirtualService") return [];
  const spec = object.spec as unknown as VirtualServiceSpec;
  const others = stored.filter((other) => formatKey(keyOf(other)) !== formatKey(keyOf(object)));
  return [...sharedHosts(object, spec, others), ...deadEnds(object, spec, others)].slice(0, maxWarnings);
}

/** Sidecars follow one VirtualService for a host; only gateways merge several. */
function* sharedHosts(object: ConfigObject, spec: VirtualServiceSpec, others: readonly ConfigObject[]) {
  if (!isForSidecars(spec)) return;
  const rivals = others.filter(
    (other) => other.kind === "VirtualService" && isForSidecars(other.spec as unknown as VirtualServiceSpec),
  );
  for (const [index, host] of spec.hosts.entries()) {
    const name = resolveHost(host, object.metadata.namespace, domain);
    const rival = rivals.find(({ spec: theirs, metadata }) =>
      (theirs as unknown as VirtualServiceSpec).hosts.some(
        (it) => resolveHost(it, metadata.namespace, domain) === name,
      ),
    );
    if (!rival) continue;
    const { namespace, name: rivalName } = rival.metadata;
    yield `spec.hosts[${index}]: VirtualService ${namespace}/${rivalName} has the host ${name}, too; sidecars follow the older of the two`;
  }
}

const isForSidecars = ({ gateways }: VirtualServiceSpec): boolean => (gateways ?? ["mesh"]).includes("mesh");

function* deadEnds(object: ConfigObject, spec: VirtualServiceSpec, others: readonly ConfigObject[]) {
  const { namespace } = object.metadata;
  const hosts = others.flatMap(hostsOf);
  for (const { path, destination } of destinationsOf(spec)) {
    const name = resolveHost(destination.host, namespace, domain);
    if (!hosts.some((host) => covers(host, name))) {
      yield `${path}.host: no Service or ServiceEntry has the host ${name}; what goes there is answered 503`;
    } else if (destination.subset && !others.some((other) => hasSubset(other, name, destination.subset))) {
      yield `${path}.subset: no DestinationRule of ${name} has the subset ${destination.subset}; what goes there is answered 503`;
    }
  }
}

function* destinationsOf(spec: VirtualServiceSpec): Generator<{ path: string; destination: Destination }> {
  for (const [rule, http] of (spec.http ?? []).entries()) {
    for (const [index, { destination }] of (http.route ?? []).entries()) {
      yield { path: `spec.http[${rule}].route[${index}].destination`, destination };
    }
    for (const [index, { destination }] of (http.mirrors ?? []).entries()) {
      yield { path: `spec.http[${rule}].mirrors[${index}].destination`, destination };
    }
    if (http.mirror) yield { path: `spec.http[${rule}].mirror`, destination: http.mirror };
  }
}

function hostsOf({ kind, metadata, spec }: ConfigObject): string[] {
  if (kind === "Service") return [`${metadata.name}.${metadata.namespace}.svc.${domain}`];
  if (kind !== "ServiceEntry" || !Array.isArray(spec.hosts)) return [];
  return spec.hosts.map((host) => String(host).toLowerCase());
}

function hasSubset({ kind, metadata, spec }: ConfigObject, host: string, subset: string | undefined): boolean {
  if (kind !== "DestinationRule" || !covers(resolveHost(String(spec.host), metadata.namespace, domain), host))
    return false;
  return Array.isArray(spec.subsets) && spec.subsets.some((it: { name?: unknown }) => it.name === subset);
}

/** The `Warning` header that kubectl prints: https://kubernetes.io/blog/2020/09/03/warnings/ */
export const warningHeader = (warnings: readonly string[]): Record<string, string> =>
  warnings.length === 0
    ? {}
    : { warning: warnings.map((text) => `299 - "${text.replace(/[\\"]/g, "\\$&")}"`).join(", ") };
