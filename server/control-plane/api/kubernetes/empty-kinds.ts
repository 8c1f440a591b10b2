import type { KindDefinition } from "../../../config/kind.ts";
import { fail } from "../../../lib/result.ts";

/** `<group>/<version>` → `<plural> <Kind> [<short names>]`; a star: not in namespaces. */
const kindsByVersion: Readonly<Record<string, readonly string[]>> = {
  "/v1": [
    "pods Pod po",
    "configmaps ConfigMap cm",
    "events Event ev",
    "endpoints Endpoints ep",
    "serviceaccounts ServiceAccount sa",
    "persistentvolumeclaims PersistentVolumeClaim pvc",
    "replicationcontrollers ReplicationController rc",
    "persistentvolumes* PersistentVolume pv",
    "nodes* Node no",
  ],
  "apps/v1": [
    "deployments Deployment deploy",
    "daemonsets DaemonSet ds",
    "replicasets ReplicaSet rs",
    "statefulsets StatefulSet sts",
  ],
  "batch/v1": ["jobs Job", "cronjobs CronJob cj"],
  "networking.k8s.io/v1": ["ingresses Ingress ing"],
  "discovery.k8s.io/v1": ["endpointslices EndpointSlice"],
  "coordination.k8s.io/v1": ["leases Lease"],
  "apiextensions.k8s.io/v1": ["customresourcedefinitions* CustomResourceDefinition crd crds"],
  "admissionregistration.k8s.io/v1": [
    "mutatingwebhookconfigurations* MutatingWebhookConfiguration",
    "validatingwebhookconfigurations* ValidatingWebhookConfiguration",
  ],
};

/**
 * Kinds of Kubernetes that tools ask for before they do anything (`kubectl apply --prune`, `istioctl`), and of which a mesh without Kubernetes
 * has none: they can be listed and watched, and are always empty.
 */
export const emptyKinds: readonly KindDefinition[] = Object.entries(kindsByVersion).flatMap(([place, kinds]) => {
  const [group = "", version = ""] = place.split("/");
  return kinds.map((text) => emptyKind(group, version, text));
});

function emptyKind(group: string, version: string, text: string): KindDefinition {
  const [name = "", kind = "", ...shortNames] = text.split(" ");
  return {
    kind,
    group,
    version,
    aliases: [],
    plural: name.replace("*", ""),
    singular: kind.toLowerCase(),
    shortNames,
    categories: [],
    namespaced: !name.endsWith("*"),
    parse: () => fail({ path: "kind", message: `${kind} is not kept by Limpid` }),
    columns: [],
    jsonSchema: () => ({}),
  };
}
