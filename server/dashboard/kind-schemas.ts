import type { ConfigApiClient } from "../config/api-client.ts";
import { kinds } from "../config/kinds/index.ts";
import { DashboardError, type FieldSchema, type KindList, type KindSchema, told } from "../contract/index.ts";

type Json = Record<string, unknown>;

export const kindList = (): KindList => ({
  kinds: kinds.map(({ kind, group, version, namespaced }) => ({
    kind,
    apiVersion: group === "" ? version : `${group}/${version}`,
    namespaced,
  })),
});

/** A kind's fields, from the document that `kubectl explain` reads. It is the same until the control plane is another, so a page keeps it. */
export async function kindSchema(client: Pick<ConfigApiClient, "openApi">, name: string): Promise<KindSchema> {
  const found = kinds.find(({ kind }) => kind === name);
  if (!found) throw new DashboardError({ code: "NOT_FOUND", ...told("no-kind", { kind: name }) });
  const { schemas } = await client.openApi(found);
  const schema = Object.values(schemas).find((one) => namesOf(one).includes(found.kind));
  if (!schema) throw new DashboardError({ code: "NOT_FOUND", ...told("no-kind", { kind: name }) });
  const apiVersion = found.group === "" ? found.version : `${found.group}/${found.version}`;
  return { kind: found.kind, apiVersion, schema: fieldOf(schema, schemas, 0) };
}

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);

const namesOf = (schema: unknown): unknown[] => {
  const named = isJson(schema) ? schema["x-kubernetes-group-version-kind"] : undefined;
  return (Array.isArray(named) ? named : []).map((one: unknown) => (isJson(one) ? one.kind : undefined));
};

/** Deeper than any kind of ours. */
const maxDepth = 24;

function fieldOf(node: unknown, schemas: Json, depth: number): FieldSchema {
  if (!isJson(node) || depth > maxDepth) return {};
  const inner = (value: unknown) => fieldOf(value, schemas, depth + 1);
  const parts = [node, ...listOf(node.allOf).map((one) => referred(one, schemas)), ...listOf(node.anyOf)].filter(
    isJson,
  );
  const first = (key: string) => parts.map((part) => part[key]).find((value) => value !== undefined);
  const properties = parts.flatMap(({ properties: own }) => (isJson(own) ? Object.entries(own) : []));
  const choices = parts.flatMap(({ enum: own }) => listOf(own)).filter(isScalar);
  const [type, description, items, values] = [
    first("type"),
    first("description"),
    first("items"),
    first("additionalProperties"),
  ];
  return {
    ...(typeof type === "string" && { type }),
    ...(typeof description === "string" && { description }),
    ...(choices.length > 0 && { enum: [...new Set(choices)] }),
    ...(properties.length > 0 && {
      properties: Object.fromEntries(properties.map(([key, value]) => [key, inner(value)])),
    }),
    ...(isJson(items) && { items: inner(items) }),
    ...(isJson(values) && { values: inner(values) }),
  };
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const isScalar = (value: unknown): value is string | number | boolean =>
  ["string", "number", "boolean"].includes(typeof value);

function referred(node: unknown, schemas: Json): unknown {
  const name = isJson(node) && typeof node.$ref === "string" ? node.$ref.split("/").at(-1) : undefined;
  return name === undefined ? node : schemas[name];
}
