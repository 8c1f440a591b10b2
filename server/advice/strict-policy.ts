import { peerAuthentication } from "../config/kinds/peer-authentication.ts";
import type { ConfigObject } from "../config/object.ts";
import { type Labels, matchesLabels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import { olderFirst } from "../model/service.ts";
import type { PeerAuthenticationSpec } from "../model/specs.ts";

/** What is to be STRICT: a workload by what its policy selects, without one its namespace, without that the mesh. */
export interface StrictTarget {
  readonly namespace?: string | undefined;
  readonly workload?: { readonly name: string; readonly selector: Labels; readonly labels: Labels } | undefined;
}

/** The PeerAuthentication by which the target becomes STRICT: the one that says its mode already, changed, or a new one. */
export function strictPolicy(
  mesh: Mesh,
  { namespace, workload }: StrictTarget,
): { object: ConfigObject; exists: boolean } {
  const home = namespace ?? mesh.options.rootNamespace;
  const own = [...(mesh.objects.get(peerAuthentication.kind)?.values() ?? [])]
    .filter(({ metadata }) => metadata.namespace === home)
    .sort(olderFirst);
  const found = own.find((it) => {
    const selector = selectorOf(it);
    return workload ? selector !== undefined && matchesLabels(selector, workload.labels) : selector === undefined;
  });
  if (found) {
    const spec = found.spec as PeerAuthenticationSpec;
    return { object: { ...found, spec: { ...spec, mtls: { ...spec.mtls, mode: "STRICT" } } }, exists: true };
  }
  const taken = new Set(own.map(({ metadata }) => metadata.name));
  const wanted = workload?.name ?? "default";
  const name = [wanted, `${wanted}-strict`].find((it) => !taken.has(it)) ?? `${wanted}-strict-${own.length}`;
  const object = {
    apiVersion: "security.istio.io/v1",
    kind: peerAuthentication.kind,
    metadata: { name, namespace: home },
    spec: { ...(workload && { selector: { matchLabels: { ...workload.selector } } }), mtls: { mode: "STRICT" } },
  };
  return { object: object as ConfigObject, exists: false };
}

/** Undefined: for all of its namespace. */
function selectorOf({ spec }: ConfigObject): Labels | undefined {
  const labels = (spec as PeerAuthenticationSpec).selector?.matchLabels ?? {};
  return Object.keys(labels).length > 0 ? labels : undefined;
}
