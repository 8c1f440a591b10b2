import type { FieldError, Result } from "../lib/result.ts";
import type { ConfigObject } from "./object.ts";

/** All that the config API, the CLI and the store need to know of one kind; one file per kind declares it. */
export interface KindDefinition<Spec = unknown> {
  kind: string;
  /** Empty for core. */
  group: string;
  /** The version it is stored as. */
  version: string;
  /** Versions accepted on input beside it, such as v1beta1 and v1alpha3. */
  aliases: string[];
  plural: string;
  singular: string;
  shortNames: string[];
  categories: string[];
  /** False: the object's `metadata.namespace` is empty and it lives at `/api/v1/<plural>/<name>`. */
  namespaced: boolean;
  /** Kept beside the mesh, and no part of it: what the mesh is or was is told, compared and restored without it. */
  aside?: true;
  /** What other kinds have in `spec` stands beside `metadata`, as in Kubernetes' Secret; here it is in `spec` all the same. */
  flat?: boolean;
  /** Strict parse of a whole object: unknown and unsupported fields are errors that name them; all errors at once, with paths. */
  parse(input: unknown): Result<ConfigObject<Spec>, FieldError>;
  /** Columns of `kubectl get`, after Name and before Age. */
  columns: PrinterColumn[];
  /** JSON Schema of `spec`, for OpenAPI and `kubectl explain`. */
  jsonSchema(): Record<string, unknown>;
}

export interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "date";
  description: string;
  /** 0 is always shown, 1 only with `-o wide`. */
  priority: 0 | 1;
  value(object: ConfigObject): string | number;
}

/** An object's fields beside its metadata, as clients of its kind write them. */
export const bodyOf = <Spec extends object>(
  { flat }: Pick<KindDefinition, "flat">,
  spec: Spec,
): Spec | { spec: Spec } => (flat ? spec : { spec });

const envelope = new Set(["apiVersion", "kind", "metadata", "spec", "status"]);

/** A client's document of a kind as it is stored: a flat one's fields are put into `spec`. */
export function withSpec(
  { flat }: Pick<KindDefinition, "flat">,
  document: Record<string, unknown>,
): Record<string, unknown> {
  if (!flat) return document;
  const fields = Object.entries(document).filter(([key]) => !envelope.has(key));
  if (fields.length === 0) return document;
  const rest = Object.entries(document).filter(([key]) => envelope.has(key));
  return {
    ...Object.fromEntries(rest),
    spec: { ...(document.spec as object | undefined), ...Object.fromEntries(fields) },
  };
}
