import { writeYaml } from "../lib/yaml/write-yaml.ts";
import { bodyOf } from "./kind.ts";
import { kindNamed } from "./kinds/index.ts";
import type { ConfigObject } from "./object.ts";

/** What kubectl notes for itself. */
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration";

/** Of stored objects, which are frozen: a version is written out once, however often it is shown. */
const written = new WeakMap<ConfigObject, string>();

/** The object as a person would write it: without what the store and clients fill in. */
export function toYaml(object: ConfigObject): string {
  const known = written.get(object);
  if (known !== undefined) return known;
  const text = write(object);
  if (Object.isFrozen(object)) written.set(object, text);
  return text;
}

function write(object: ConfigObject): string {
  const { name, namespace, labels } = object.metadata;
  const { [lastApplied]: _, ...annotations } = object.metadata.annotations ?? {};
  const metadata: Record<string, unknown> = { name };
  if (namespace !== "") metadata.namespace = namespace;
  if (labels !== undefined) metadata.labels = labels;
  if (Object.keys(annotations).length > 0) metadata.annotations = annotations;
  const { apiVersion, kind, spec } = object;
  const body = bodyOf(kindNamed(kind) ?? {}, spec);
  return writeYaml({ apiVersion, kind, metadata, ...body });
}
