import type { FieldSchema } from "../../../server/contract/index.ts";
import { schemaAt, typeText } from "./schema-at.ts";
import type { YamlContext } from "./yaml-context.ts";

export interface Suggestion {
  label: string;
  /** Its type. */
  detail: string;
  info: string;
  /** What is written. */
  insert: string;
}

/** What could be written at a place, in the schema's order. */
export function suggestionsAt(schema: FieldSchema, { path, writes, siblings, column }: YamlContext): Suggestion[] {
  const at = schemaAt(schema, path);
  if (!at) return [];
  if (writes === "value") return valuesOf(at).map((value) => ({ label: value, detail: "", info: "", insert: value }));
  if (!at.properties) return valuesOf(at).map((value) => ({ label: value, detail: "", info: "", insert: value }));
  return Object.entries(at.properties)
    .filter(([name]) => !siblings.includes(name))
    .map(([label, field]) => ({
      label,
      detail: typeText(field),
      info: field.description ?? "",
      insert: `${label}:${opening(field, column)}`,
    }));
}

function valuesOf({ enum: choices, type }: FieldSchema): string[] {
  if (choices) return choices.map((one) => (one === "" ? '""' : String(one)));
  return type === "boolean" ? ["true", "false"] : [];
}

/** What follows a name: its value on the line, or the begin of what is below. */
function opening({ properties, items, values }: FieldSchema, column: number): string {
  const below = `\n${" ".repeat(column + 2)}`;
  if (items) return `${below}- `;
  return properties || values ? below : " ";
}
