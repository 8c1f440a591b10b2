import type { KindDefinition } from "../../../config/kind.ts";
import { isRecord } from "../body.ts";
import { listKeys } from "../ownership/keyed-lists.ts";
import { coreMergeKeys } from "../patch/strategic-merge-patch.ts";
import { withDocs } from "./field-docs.ts";

type Schema = Record<string, unknown>;

/** `io.istio.networking.v1.VirtualService`, `io.k8s.api.core.v1.Service`. */
export const schemaName = (kind: KindDefinition, version: string): string =>
  kind.group === ""
    ? `io.k8s.api.core.${version}.${kind.kind}`
    : `${kind.group.split(".").reverse().join(".")}.${version}.${kind.kind}`;

/** The whole object's schema; `reference` makes the `$ref` of a shared one. */
export function objectSchema(kind: KindDefinition, version: string, reference: (name: string) => string): Schema {
  const spec = specSchema(kind);
  return {
    description: `${kind.kind} of ${kind.group || "the core group"}, as far as Limpid supports it.`,
    type: "object",
    properties: {
      apiVersion: { description: "Version of this representation of the object.", type: "string" },
      kind: { description: "The REST resource this object represents.", type: "string" },
      metadata: { description: "Standard object metadata.", allOf: [{ $ref: reference(metaName) }], default: {} },
      ...(kind.flat
        ? (spec.properties as Schema)
        : { spec: { description: `What is wanted of this ${kind.kind}.`, ...spec } }),
      status: { description: "Written by the control plane only.", type: "object" },
    },
    "x-kubernetes-group-version-kind": [{ group: kind.group, version, kind: kind.kind }],
  };
}

/** A kind's spec is the same in all its versions, and dear to make. */
const specSchemas = new WeakMap<KindDefinition, Schema>();

function specSchema(kind: KindDefinition): Schema {
  const known =
    specSchemas.get(kind) ??
    withDocs(kind.kind, markLists(kind.kind, toOpenApi(kind.jsonSchema()) as Schema, "spec"), ["spec"]);
  specSchemas.set(kind, known);
  return known;
}

export const metaName = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta";

const text = (description: string): Schema => ({ description, type: "string" });
const textMap = (description: string): Schema => ({
  description,
  type: "object",
  additionalProperties: { type: "string", default: "" },
});

export const metaSchema: Schema = {
  description: "Metadata that all objects have.",
  type: "object",
  properties: {
    name: text("Unique within the namespace."),
    namespace: text("The space within which the name is unique."),
    labels: textMap("For organizing and selecting objects."),
    annotations: textMap("Arbitrary metadata that tools keep with the object."),
    uid: text("Unique in time and space; set by the server."),
    resourceVersion: text("Changes with every write; opaque."),
    generation: { description: "Counts the changes of spec.", type: "integer", format: "int64" },
    creationTimestamp: { ...text("When the object was made."), format: "date-time" },
    managedFields: {
      description: "Who set which fields.",
      type: "array",
      items: { type: "object" },
      "x-kubernetes-list-type": "atomic",
    },
    ownerReferences: {
      description: "Objects that this one depends on.",
      type: "array",
      items: { type: "object" },
      "x-kubernetes-patch-merge-key": "uid",
      "x-kubernetes-patch-strategy": "merge",
    },
  },
};

/** JSON Schema 2020-12 as zod writes it → the subset that OpenAPI 3.0 and kubectl read. Local `$ref`s are resolved. */
function toOpenApi(root: Schema): unknown {
  const definitions = isRecord(root.$defs) ? root.$defs : {};
  const convert = (node: unknown, depth: number): unknown => {
    if (Array.isArray(node)) return node.map((item) => convert(item, depth));
    if (!isRecord(node)) return node;
    if (typeof node.$ref === "string") {
      const target = definitions[node.$ref.replace("#/$defs/", "")];
      return depth > 20 || target === undefined ? { type: "object" } : convert(target, depth + 1);
    }
    const result: Schema = {};
    for (const [key, value] of Object.entries(node)) {
      if (dropped.has(key)) continue;
      if (key === "const") result.enum = [value];
      // A scalar that may be null, too: OpenAPI 3.0 knows one type, and `kubectl explain` ends where it finds several.
      else if (key === "type" && Array.isArray(value)) result.type = value.find((type) => type !== "null");
      else if (key === "exclusiveMinimum" && typeof value === "number") result.minimum = value;
      else if (key === "exclusiveMaximum" && typeof value === "number") result.maximum = value;
      else if (key === "properties" && isRecord(value)) {
        result.properties = Object.fromEntries(Object.entries(value).map(([name, sub]) => [name, convert(sub, depth)]));
      } else if (key === "anyOf" && Array.isArray(value)) Object.assign(result, convertUnion(value, depth, convert));
      else result[key] = convert(value, depth);
    }
    return result;
  };
  return convert(root, 0);
}

const dropped = new Set(["$schema", "$defs", "propertyNames", "prefixItems", "not", "if", "then", "else"]);

/** `x | null` is just x here; other unions keep their alternatives. */
function convertUnion(options: unknown[], depth: number, convert: (node: unknown, depth: number) => unknown): Schema {
  const real = options.filter((option) => !(isRecord(option) && option.type === "null"));
  const converted = real.map((option) => convert(option, depth)) as Schema[];
  if (converted.length === 1) return converted[0] ?? {};
  const types = new Set(converted.map((option) => option.type));
  return { ...(types.size === 1 && converted[0]?.type ? { type: converted[0].type } : {}), anyOf: converted };
}

/** Tells kubectl which lists merge by key, so that its patches and the server's merge agree. */
function markLists(kind: string, schema: Schema, path: string): Schema {
  if (!isRecord(schema.properties)) return schema;
  const properties: Schema = {};
  for (const [name, property] of Object.entries(schema.properties)) {
    const isList = isRecord(property) && property.type === "array";
    const mapKeys = listKeys(kind, [path, name]);
    const mergeKey = kind === "Service" ? coreMergeKeys[`${path}.${name}`] : undefined;
    properties[name] = isList
      ? {
          ...property,
          ...(mapKeys && { "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": mapKeys }),
          ...(mergeKey && { "x-kubernetes-patch-merge-key": mergeKey, "x-kubernetes-patch-strategy": "merge" }),
        }
      : property;
  }
  return { ...schema, properties };
}
