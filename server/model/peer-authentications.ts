import type { ConfigObject } from "../config/object.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import { olderFirst } from "./service.ts";
import type { PeerAuthenticationSpec } from "./specs.ts";

/** STRICT: mutual TLS alone is let in; PERMISSIVE: plain text too; DISABLE: plain text alone. */
export type MutualTlsMode = "STRICT" | "PERMISSIVE" | "DISABLE";

export interface PeerAuthenticationIndex {
  /** Oldest first, by namespace. */
  readonly byNamespace: ReadonlyMap<string, readonly PeerAuthentication[]>;
}

interface PeerAuthentication {
  readonly namespace: string;
  readonly name: string;
  /** Undefined: for the whole namespace. */
  readonly selector: Labels | undefined;
  readonly mode: MutualTlsMode | undefined;
  readonly ports: ReadonlyMap<number, MutualTlsMode | undefined>;
}

export function indexPeerAuthentications(objects: Iterable<ConfigObject>): PeerAuthenticationIndex {
  const sorted = [...objects].sort(olderFirst);
  const byNamespace = new Map<string, PeerAuthentication[]>();
  for (const object of sorted) {
    const { namespace } = object.metadata;
    const all = byNamespace.get(namespace) ?? [];
    byNamespace.set(namespace, all);
    all.push({ namespace, name: object.metadata.name, ...resolve(object.spec as PeerAuthenticationSpec) });
  }
  return { byNamespace };
}

/** A mode, and who says so: the policy and the field of its `spec`; undefined where no policy says anything. */
export interface DecidedMode {
  readonly mode: MutualTlsMode;
  readonly by: { readonly namespace: string; readonly name: string; readonly field: string } | undefined;
}

/**
 * What a workload's port takes: the oldest policy that selects the workload, else its namespace's, else the root namespace's, where one that
 * says nothing inherits (Istio's `ComposePeerAuthentication`). https://istio.io/latest/docs/reference/config/security/peer_authentication/
 */
export function decidedMode(
  { byNamespace }: PeerAuthenticationIndex,
  rootNamespace: string,
  workload: { namespace: string; labels: Labels },
  port: number,
): DecidedMode {
  const own = byNamespace.get(workload.namespace) ?? [];
  const whole = (all: readonly PeerAuthentication[]) => all.find(({ selector }) => selector === undefined);
  const mesh = whole(byNamespace.get(rootNamespace) ?? []);
  const namespace = whole(own);
  // Those of the root namespace are for the mesh: a selector there selects nobody.
  const selected =
    workload.namespace === rootNamespace
      ? undefined
      : own.find(({ selector }) => selector !== undefined && matchesLabels(selector, workload.labels));
  const said = (policy: PeerAuthentication | undefined, mode: MutualTlsMode | undefined, field: string) =>
    policy && mode && { mode, by: { namespace: policy.namespace, name: policy.name, field } };
  return (
    said(selected, selected?.ports.get(port), `portLevelMtls.${port}`) ??
    said(selected, selected?.mode, "mtls") ??
    said(namespace, namespace?.mode, "mtls") ??
    said(mesh, mesh?.mode, "mtls") ?? { mode: "PERMISSIVE", by: undefined }
  );
}

export const mutualTlsMode = (...asked: Parameters<typeof decidedMode>): MutualTlsMode => decidedMode(...asked).mode;

function resolve({
  selector,
  mtls,
  portLevelMtls = {},
}: PeerAuthenticationSpec): Omit<PeerAuthentication, "namespace" | "name"> {
  const labels = selector?.matchLabels ?? {};
  return {
    selector: Object.keys(labels).length > 0 ? labels : undefined,
    mode: modeOf(mtls),
    ports: new Map(Object.entries(portLevelMtls).map(([port, it]) => [Number(port), modeOf(it)])),
  };
}

const modeOf = (mtls: PeerAuthenticationSpec["mtls"]): MutualTlsMode | undefined =>
  mtls?.mode === undefined || mtls.mode === "UNSET" ? undefined : mtls.mode;
