import { createRegistry, fromJson, type JsonObject, type JsonValue } from "@bufbuild/protobuf";
import { AnySchema, EmptySchema, StructSchema } from "@bufbuild/protobuf/wkt";
import { registry as known } from "../proto/registry.ts";
import { TypeUrl } from "../xds/types.ts";
import type { EncodedResource } from "./holdings.ts";

const registry = createRegistry(known, EmptySchema, StructSchema);

/**
 * The resources in force of an Envoy's (or our sidecar's) `GET /config_dump?include_eds`, as JSON. What failed, warms or drains is left out; a message of a type that is not
 * known here keeps its name and is not looked into. Throws an Error where it is no config dump.
 * https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--config_dump
 */
export function resourcesOfDump(dump: JsonValue): EncodedResource[] {
  const sections = isObject(dump) ? dump.configs : undefined;
  if (!Array.isArray(sections)) throw new Error("configs: required; is it the answer of /config_dump?include_eds ?");
  return [...found(sections)];
}

/** The fields of a dump below which stands what is not in force. */
const notInForce = new Set(["error_state", "warming_state", "draining_state", "dynamic_warming_clusters"]);

function* found(json: JsonValue): Generator<EncodedResource> {
  if (Array.isArray(json)) {
    for (const item of json) yield* found(item);
  } else if (isObject(json)) {
    const type = json["@type"];
    const nameField = typeof type === "string" ? nameFields[type] : undefined;
    if (nameField !== undefined) yield resourceOf(json, nameField);
    else for (const [field, value] of Object.entries(json)) if (!notInForce.has(snakeCase(field))) yield* found(value);
  }
}

const nameFields: Record<string, string | undefined> = {
  [TypeUrl.listener]: "name",
  [TypeUrl.route]: "name",
  [TypeUrl.virtualHost]: "name",
  [TypeUrl.cluster]: "name",
  [TypeUrl.endpoint]: "cluster_name",
};

function resourceOf(json: JsonObject, nameField: string): EncodedResource {
  const any = fromJson(AnySchema, readable(json) as JsonObject, { registry, ignoreUnknownFields: true });
  const name = json[nameField] ?? json[camelCase(nameField)];
  return { typeUrl: any.typeUrl, name: typeof name === "string" ? name : "", value: any.value };
}

/** A message of an unknown type becomes a Struct inside an Any of the unknown type's name, so that whoever asks what stands there is told. */
function readable(json: JsonValue): JsonValue {
  if (Array.isArray(json)) return json.map(readable);
  if (!isObject(json)) return json;
  const type = json["@type"];
  if (typeof type !== "string" || registry.getMessage(type.slice(type.lastIndexOf("/") + 1))) {
    return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, readable(value)]));
  }
  return { "@type": "type.googleapis.com/google.protobuf.Struct", value: json };
}

const isObject = (json: JsonValue | undefined): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json);

const snakeCase = (name: string): string => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
const camelCase = (name: string): string => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
