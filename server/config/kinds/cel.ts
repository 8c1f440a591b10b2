import { type Told, told } from "../../contract/told.ts";
import { lazyRequire } from "../../lib/lazy-require.ts";

/** Loaded by the first object with an expression: most meshes have none. */
const load = lazyRequire<typeof import("@bufbuild/cel")>("@bufbuild/cel");

/** Deep nesting is what a parser is slow at, and an access log needs none. */
const maxCharacters = 4_096;

/** What keeps a text from being an expression of the Common Expression Language; what it may go by is a proxy's to say. https://cel.dev */
export function celError(expression: string): Told | undefined {
  if (expression.trim() === "") return told("not-empty", {});
  if (expression.length > maxCharacters) return told("max-characters", { count: maxCharacters });
  try {
    load().parse(expression);
    return undefined;
  } catch (error) {
    const [why = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return told("cel-form", { why });
  }
}
