import type { FieldSchema } from "../../../server/contract/index.ts";

/** What may stand at a path as `YamlContext` has it; undefined where nothing is known. */
export function schemaAt(root: FieldSchema, path: readonly string[]): FieldSchema | undefined {
  let at: FieldSchema | undefined = root;
  for (const part of path) {
    at = part === "[]" ? at?.items : (own(at?.properties, part) ?? at?.values);
    if (at === undefined) return undefined;
  }
  return at;
}

const own = (fields: Record<string, FieldSchema> | undefined, name: string): FieldSchema | undefined =>
  fields && Object.hasOwn(fields, name) ? fields[name] : undefined;

/** `list of objects`, `one of 301, 302`: a field's type in the words of the schema. */
export function typeText({ type, items, values, enum: choices }: FieldSchema): string {
  if (choices) return choices.map((one) => (one === "" ? '""' : String(one))).join(" | ");
  if (items) return `${typeText(items)}[]`;
  if (values) return `{ name: ${typeText(values)} }`;
  return type ?? "";
}
