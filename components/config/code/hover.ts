import type { Text } from "@codemirror/state";
import { hoverTooltip, type Tooltip } from "@codemirror/view";
import { schemaAt, typeText } from "./schema-at.ts";
import { loadSchema } from "./schema-source.ts";
import { contextAt } from "./yaml-context.ts";

/** The name of a field that stands at an offset. */
export function keyAt(doc: Text, offset: number): { from: number; to: number; name: string } | null {
  const line = doc.lineAt(offset);
  const [, lead = "", name] = /^(\s*(?:- +)*)([\w./-]+):(?:\s|$)/.exec(line.text) ?? [];
  const from = line.from + lead.length;
  return name === undefined || offset < from || offset > from + name.length
    ? null
    : { from, to: from + name.length, name };
}

/** What the field under the pointer means, in the words of `kubectl explain`. */
export const documentation = () =>
  hoverTooltip(async (view, offset): Promise<Tooltip | null> => {
    const key = keyAt(view.state.doc, offset);
    if (!key) return null;
    const { kind, path } = contextAt(view.state.doc.toString(), key.from);
    const schema = kind === null ? null : await loadSchema(kind);
    const field = schema && schemaAt(schema, [...path, key.name]);
    if (!field) return null;
    return { pos: key.from, end: key.to, above: true, create: () => ({ dom: explained(key.name, field) }) };
  });

function explained(name: string, field: NonNullable<ReturnType<typeof schemaAt>>): HTMLElement {
  const dom = document.createElement("div");
  dom.className = "cm-explained";
  const title = dom.appendChild(document.createElement("code"));
  title.textContent = `${name}: ${typeText(field)}`;
  if (field.description) dom.appendChild(document.createElement("p")).textContent = field.description;
  return dom;
}
