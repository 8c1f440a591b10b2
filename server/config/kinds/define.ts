import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import { type KindDefinition, withSpec } from "../kind.ts";
import type { ConfigObject } from "../object.ts";
import { metadataSchema, subdomainError, toMeta } from "./metadata.ts";
import { beginPatterns } from "./regex.ts";
import { check, unknownFields } from "./schema.ts";

/** One object as JSON; as much as Kubernetes' store takes. */
const maxObjectBytes = 1.5 * 1024 * 1024;

type Declaration<S extends z.ZodType> = Omit<KindDefinition, "parse" | "jsonSchema" | "namespaced"> & {
  spec: S;
  /** What `spec` is when the document has none; unset: it is required. */
  defaultSpec?: z.output<S>;
  namespaced?: boolean;
  nameError?: (name: string) => Told | undefined;
  /** Rules between metadata and spec. */
  check?(object: ConfigObject<z.output<S>>): FieldError[];
};

/** Makes a kind of its schema: the envelope (apiVersion, kind, metadata, size) is the same for all. */
export function defineKind<S extends z.ZodType>(declaration: Declaration<S>): KindDefinition<z.output<S>> {
  const { spec: schema, defaultSpec, nameError, check: checkObject, ...names } = declaration;
  const namespaced = declaration.namespaced ?? true;
  const metadata = metadataSchema(nameError ?? subdomainError);
  const versions = [names.version, ...names.aliases].map((version) => joinVersion(names.group, version));

  function parse(input: unknown): Result<ConfigObject<z.output<S>>, FieldError> {
    const copy = plainCopy(input);
    if (!copy.ok) return copy;
    const document = withSpec(names, copy.value);
    beginPatterns();
    const errors = envelopeErrors(document, names.kind, versions);
    const meta = check(metadata, document.metadata ?? {}, "metadata");
    const spec = check(schema, document.spec ?? defaultSpec, names.flat ? "" : "spec");
    if (!meta.ok) errors.push(...meta.errors);
    if (!spec.ok) errors.push(...spec.errors);
    if (!meta.ok || !spec.ok || errors.length > 0) return fail(...errors);
    const object: ConfigObject<z.output<S>> = {
      apiVersion: joinVersion(names.group, names.version),
      kind: names.kind,
      metadata: toMeta(meta.value, namespaced),
      // Not the parsed copy: this one has the user's order of fields.
      spec: (document.spec ?? defaultSpec) as z.output<S>,
    };
    const broken = checkObject?.(object) ?? [];
    return broken.length > 0 ? fail(...broken) : ok(object);
  }

  return {
    ...names,
    namespaced,
    parse,
    jsonSchema: () => {
      const { $schema: _, ...json } = z.toJSONSchema(schema, { unrepresentable: "any", override: dropRefused });
      return json;
    },
  };
}

export const joinVersion = (group: string, version: string): string => (group === "" ? version : `${group}/${version}`);

/** Fields that are refused by name are no part of what the API offers; Kubernetes' schemas have no `propertyNames`. */
function dropRefused(context: { jsonSchema: z.core.JSONSchema.BaseSchema }): void {
  const { properties = {} } = context.jsonSchema;
  delete context.jsonSchema.propertyNames;
  for (const [name, field] of Object.entries(properties)) {
    if (typeof field === "object" && field.not !== undefined) delete properties[name];
  }
}

function envelopeErrors(document: Record<string, unknown>, kind: string, versions: readonly string[]): FieldError[] {
  const errors: FieldError[] = [];
  const known = ["apiVersion", "kind", "metadata", "spec", "status"];
  const unknown = Object.keys(document).filter((key) => !known.includes(key));
  errors.push(...unknownFields(unknown, known, ""));
  if (document.kind !== kind) errors.push({ path: "kind", ...told("must-be", { what: kind }) });
  if (!versions.includes(String(document.apiVersion))) {
    errors.push({ path: "apiVersion", ...told("must-be", { what: versions.join(", ") }) });
  }
  return errors;
}

/** JSON and nothing else: no shared parts from YAML aliases, no dates, and a bound on the size. */
function plainCopy(input: unknown): Result<Record<string, unknown>, FieldError> {
  let json: string | undefined;
  try {
    json = JSON.stringify(input);
  } catch {
    return fail({ path: "", ...told("plain-json", {}) });
  }
  if (json === undefined || !json.startsWith("{")) return fail({ path: "", ...told("this-object", {}) });
  const bytes = Buffer.byteLength(json);
  if (bytes > maxObjectBytes) return fail({ path: "", ...told("object-bytes", { limit: maxObjectBytes, bytes }) });
  return ok(JSON.parse(json) as Record<string, unknown>);
}
