import type { WorkloadView } from "../contract/index.ts";
import type { AuthorizationPolicy } from "../model/authorization-policies.ts";
import type { Mesh } from "../model/mesh.ts";
import { type Attachment, attachedTo, targetKeysOf } from "../model/policy-attachment.ts";
import type { AdvisedWorkload } from "./workload-proxy.ts";

/** Policies and token checks before workloads, at any of their ports. */
export interface Guarding {
  policies(workload: AdvisedWorkload): readonly AuthorizationPolicy[];
  /** `<namespace>/<name>` of RequestAuthentications. */
  authentications(workload: AdvisedWorkload): readonly { namespace: string; name: string }[];
}

export function createGuarding(mesh: Mesh, views: readonly WorkloadView[]): Guarding {
  const { rootNamespace } = mesh.options;
  const serving = new Map(views.map((it) => [`${it.namespace}/${it.name}`, it.services]));
  const targets = Map.groupBy(mesh.services.values(), ({ namespace, hostname }) => `${namespace} ${hostname}`);
  const of = <T extends { attachment: Attachment }>(index: ReadonlyMap<string, readonly T[]>, it: AdvisedWorkload) =>
    attachedTo(index, rootNamespace, {
      namespace: it.namespace,
      labels: it.labels,
      isGateway: it.isGateway,
      services: (serving.get(`${it.namespace}/${it.name}`) ?? []).flatMap(({ namespace, hostname }) =>
        (targets.get(`${namespace} ${hostname}`) ?? []).flatMap(targetKeysOf),
      ),
    });
  return {
    policies: (it) => of(mesh.authorizationPolicies, it),
    authentications: (it) =>
      of(mesh.requestAuthentications, it).map(({ attachment: { namespace }, name }) => ({ namespace, name })),
  };
}
