import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import type { ObjectMeta } from "../object.ts";
import { isDnsLabel, labelValueError, qualifiedKeyError } from "./names.ts";
import { rule, says, text } from "./schema.ts";

/** Kubernetes' bound on all annotations of one object together. https://kubernetes.io/docs/reference/using-api/ */
const maxAnnotationsBytes = 256 * 1024;

/** A lower-case DNS subdomain, as Kubernetes wants of most objects' names. */
export function subdomainError(name: string): Told | undefined {
  if (name.length === 0) return told("not-empty", {});
  if (name.length <= 253 && name.split(".").every((label) => isDnsLabel(label)) && name === name.toLowerCase()) {
    return undefined;
  }
  return told("subdomain", { value: JSON.stringify(name) });
}

/** A lower-case DNS label of at most 63 characters. */
export const labelNameError = (name: string): Told | undefined =>
  isDnsLabel(name) && name === name.toLowerCase()
    ? undefined
    : name.length === 0
      ? told("not-empty", {})
      : told("label-name", { value: JSON.stringify(name) });

/** Every field of Kubernetes' ObjectMeta; null stands for unset, as clients in Go write it. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/ */
export const metadataSchema = (nameError: (name: string) => Told | undefined) =>
  z.strictObject({
    name: text(nameError),
    namespace: text((value) => (value === "" ? undefined : labelNameError(value))).nullish(),
    labels: z.record(text(qualifiedKeyError), text(labelValueError)).nullish(),
    annotations: rule(z.record(text(qualifiedKeyError), z.string()), (annotations, report) => {
      let bytes = 0;
      for (const [key, value] of Object.entries(annotations))
        bytes += Buffer.byteLength(key) + Buffer.byteLength(value);
      if (bytes > maxAnnotationsBytes) report([], told("bytes-together", { limit: maxAnnotationsBytes, bytes }));
    }).nullish(),
    ownerReferences: z.array(z.record(z.string(), z.unknown())).nullish(),
    managedFields: z.array(z.unknown()).nullish(),
    uid: z.string().nullish(),
    resourceVersion: z.string().nullish(),
    generation: z.number().nullish(),
    creationTimestamp: z.string().nullish(),
    // What an API server fills in and a client may send back; Limpid has no use for it.
    deletionTimestamp: z.string().nullish(),
    deletionGracePeriodSeconds: z.number().nullish(),
    selfLink: z.string().nullish(),
    generateName: z.string().nullish(),
    finalizers: z
      .array(z.string())
      .max(0, says(told("not-yet-finalizers", {})))
      .nullish(),
  });

/** What is kept of a checked `metadata`. */
export function toMeta(input: z.output<ReturnType<typeof metadataSchema>>, namespaced: boolean): ObjectMeta {
  const meta: ObjectMeta = { name: input.name, namespace: namespaced ? input.namespace || "default" : "" };
  if (input.generateName) meta.generateName = input.generateName;
  if (input.uid) meta.uid = input.uid;
  if (input.resourceVersion) meta.resourceVersion = input.resourceVersion;
  if (typeof input.generation === "number") meta.generation = input.generation;
  if (input.creationTimestamp) meta.creationTimestamp = input.creationTimestamp;
  if (input.labels && Object.keys(input.labels).length > 0) meta.labels = input.labels;
  if (input.annotations && Object.keys(input.annotations).length > 0) meta.annotations = input.annotations;
  if (input.ownerReferences && input.ownerReferences.length > 0) meta.ownerReferences = input.ownerReferences;
  if (input.managedFields && input.managedFields.length > 0) meta.managedFields = input.managedFields;
  return meta;
}
