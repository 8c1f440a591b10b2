import { type Labels, matchesLabels } from "./labels.ts";
import type { Service } from "./service.ts";
import { partsOf } from "./service.ts";
import type { PolicyTargetReference } from "./specs.ts";

/** What a policy is for: workloads by their labels, or what its targets name; neither: all of its namespace. */
export interface Attachment {
  readonly namespace: string;
  readonly selector: Labels;
  readonly targets: readonly PolicyTargetReference[];
}

/** Who may be guarded: a workload, at one of its ports where targets tell ports apart. */
export interface GuardedWorkload {
  readonly namespace: string;
  readonly labels: Labels;
  readonly isGateway: boolean;
  /** `targetKey`s of the services that are called there. */
  readonly services: readonly string[];
}

interface AttachmentSpec {
  selector?: { matchLabels?: Labels | undefined } | undefined;
  targetRef?: PolicyTargetReference | undefined;
  targetRefs?: readonly PolicyTargetReference[] | undefined;
}

export const attachmentOf = (namespace: string, { selector, targetRef, targetRefs }: AttachmentSpec): Attachment => ({
  namespace,
  selector: selector?.matchLabels ?? {},
  targets: [...(targetRef ? [targetRef] : []), ...(targetRefs ?? [])],
});

/** The label that Kubernetes' Gateway API gives to a gateway's workloads. https://gateway-api.sigs.k8s.io/geps/gep-1762/ */
const gatewayLabel = "gateway.networking.k8s.io/gateway-name";

/**
 * Policies of the root namespace are for workloads of every namespace, unless they have targets: those are of a policy's own. A service that is a
 * target is guarded by its workloads' proxies, at the port where it is called; Istio has its waypoints do that.
 */
export function isAttached({ namespace, selector, targets }: Attachment, workload: GuardedWorkload): boolean {
  if (targets.length === 0) return matchesLabels(selector, workload.labels);
  return targets.some(({ kind, name }) => {
    if (kind !== "Gateway") return workload.services.includes(targetKey(kind, namespace, name));
    return workload.isGateway && workload.namespace === namespace && workload.labels[gatewayLabel] === name;
  });
}

const targetKey = (kind: string, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;

/** By which targets name a service. */
export const targetKeysOf = (service: Service): string[] =>
  partsOf(service).map(({ kind, namespace, name }) => targetKey(kind, namespace, name));

/** Whether some policy is for a service, so that ports must be told apart. */
export const hasServiceTargets = (policies: Iterable<Attachment>): boolean =>
  [...policies].some(({ targets }) => targets.some(({ kind }) => kind !== "Gateway"));

/** Those for a workload, the root namespace's first, in the order of each. */
export const attachedTo = <T extends { attachment: Attachment }>(
  index: ReadonlyMap<string, readonly T[]>,
  rootNamespace: string,
  workload: GuardedWorkload,
): readonly T[] =>
  [...new Set([rootNamespace, workload.namespace])]
    .flatMap((namespace) => index.get(namespace) ?? [])
    .filter(({ attachment }) => isAttached(attachment, workload));
