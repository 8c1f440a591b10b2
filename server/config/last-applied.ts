import type { ConfigApiClient } from "./api-client.ts";
import { kinds } from "./kinds/index.ts";
import type { ConfigObject } from "./object.ts";

/** https://kubernetes.io/docs/reference/labels-annotations-taints/#kubectl-kubernetes-io-last-applied-configuration */
const annotation = "kubectl.kubernetes.io/last-applied-configuration";

/**
 * An object as it was edited where this annotation is out of sight: with the stored one's, so that the next `kubectl apply` still knows what
 * it had applied. `objects` lists a kind.
 */
export async function keepLastApplied(
  edited: ConfigObject,
  objects: ConfigApiClient["objects"],
): Promise<ConfigObject> {
  const { name, namespace = "", resourceVersion, annotations = {} } = edited.metadata;
  const kind = kinds.find((one) => one.kind === edited.kind);
  if (resourceVersion === undefined || kind === undefined || annotation in annotations) return edited;
  const stored = (await objects(kind)).find(
    ({ metadata }) => metadata.name === name && (metadata.namespace ?? "") === namespace,
  );
  const kept = stored?.metadata.annotations?.[annotation];
  if (kept === undefined) return edited;
  return { ...edited, metadata: { ...edited.metadata, annotations: { ...annotations, [annotation]: kept } } };
}
