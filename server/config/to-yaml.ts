import { stringify } from "yaml";
import type { ConfigObject } from "./object.ts";

/** What kubectl notes for itself. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** The object as a person would write it: without what the store and clients fill in. */
export function toYaml(object: ConfigObject): string {
  const { name, namespace, labels } = object.metadata;
  const { [lastApplied]: _, ...annotations } = object.metadata.annotations ?? {};
  const metadata: Record<string, unknown> = { name };
  if (namespace !== "") metadata.namespace = namespace;
  if (labels !== undefined) metadata.labels = labels;
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  const { apiVersion, kind, spec } = object;
  return stringify({ apiVersion, kind, metadata, spec }, { lineWidth: 0, aliasDuplicateObjects: false });
}
