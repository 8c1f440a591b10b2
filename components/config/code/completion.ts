import type { Completion, CompletionContext, CompletionResult } from "@codemirror/autocomplete";
import { loadKinds, loadSchema } from "./schema-source.ts";
import { type Suggestion, suggestionsAt } from "./suggestions.ts";
import { contextAt } from "./yaml-context.ts";

/** Names and values of the kind's schema, and kinds. */
export async function completeYaml({ state, pos, explicit }: CompletionContext): Promise<CompletionResult | null> {
  const context = contextAt(state.doc.toString(), pos);
  if (!explicit && context.prefix === "" && context.writes === "name") return null;
  const found = context.path.length <= 1 ? await topLevel(context) : [];
  const schema = found.length === 0 && context.kind ? await loadSchema(context.kind) : null;
  const options = schema ? suggestionsAt(schema, context) : found;
  return options.length === 0
    ? null
    : { from: pos - context.prefix.length, options: options.map(toCompletion), validFor: /^[\w./-]*$/ };
}

/** Before a document has a kind, nothing else is known of it. */
async function topLevel({ path, writes, kind }: ReturnType<typeof contextAt>): Promise<Suggestion[]> {
  const value = (label: string): Suggestion => ({ label, detail: "", info: "", insert: label });
  const [field] = path;
  if (writes === "value" && field === "kind") return (await loadKinds()).map((one) => value(one.kind));
  if (writes === "value" && field === "apiVersion") {
    const versions = (await loadKinds()).filter((one) => kind === null || one.kind === kind);
    return [...new Set(versions.map(({ apiVersion }) => apiVersion))].map(value);
  }
  if (writes === "name" && path.length === 0 && kind === null)
    return ["apiVersion", "kind"].map((label) => ({ ...value(label), insert: `${label}: ` }));
  return [];
}

const toCompletion = ({ label, detail, info, insert }: Suggestion): Completion => ({
  label,
  apply: insert,
  ...(detail !== "" && { detail }),
  ...(info !== "" && { info }),
});
