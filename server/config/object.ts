/** A mesh resource in Kubernetes' form, at `networking.istio.io/v1` or core `v1`. https://istio.io/latest/docs/reference/config/ */
export interface ConfigObject<Spec = Record<string, unknown>> {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
  spec: Spec;
  /** Set by the control plane only; a client's value is ignored. */
  status?: Record<string, unknown>;
}

export interface ObjectMeta {
  name: string;
  namespace: string;
  /** What the config API made the name from, when the client left that to it. */
  generateName?: string;
  uid?: string;
  /** The store revision of the object's last write, as a decimal string; opaque to clients, as in Kubernetes. */
  resourceVersion?: string;
  /** Counts the changes of `spec`. */
  generation?: number;
  /** RFC 3339. */
  creationTimestamp?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  managedFields?: unknown[];
  /** Kept for clients that set them; Limpid collects no garbage. */
  ownerReferences?: Record<string, unknown>[];
}

/** Names one resource: the kind is unique over all groups Limpid knows. */
export interface ResourceKey {
  kind: string;
  namespace: string;
  name: string;
}

export const keyOf = (object: Pick<ConfigObject, "kind" | "metadata">): ResourceKey => ({
  kind: object.kind,
  namespace: object.metadata.namespace,
  name: object.metadata.name,
});

export const formatKey = (key: ResourceKey): string => `${key.kind}/${key.namespace}/${key.name}`;
