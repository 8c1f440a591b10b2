import { isMap, isScalar, isSeq, type Node } from "yaml";
import { type Told, told } from "../../contract/told.ts";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import {
  readYaml,
  type YamlDocument,
  YamlLimitError,
  type YamlText,
  yamlFileLimits,
} from "../../lib/yaml/read-yaml.ts";
import { parsePath } from "../../wire/field-path.ts";
import type { ConfigObject } from "../object.ts";
import { parseObject } from "./index.ts";

/** Where in a text the error is; both count from one, and `message` ends with them. */
export interface DocumentError extends FieldError {
  document: number;
  line: number;
}

const maxObjects = 10_000;
/** Whoever has more than this wrong mends some first. */
const maxErrors = 200;

/**
 * Reads YAML or JSON: several documents divided by `---`, empty ones skipped, and `kind: List` (or `<Kind>List`) taken apart.
 * Every error of every document is returned, each with its line; at most two hundred.
 */
export function parseDocuments(text: string): Result<ConfigObject[], DocumentError> {
  let read: YamlText;
  try {
    read = readYaml(text, yamlFileLimits);
  } catch (error) {
    if (!(error instanceof YamlLimitError)) throw error;
    return fail(located("", { message: error.message }, 1, 1));
  }
  const objects: ConfigObject[] = [];
  const errors: DocumentError[] = [];
  for (const [index, document] of read.documents.entries()) {
    for (const { message, offset } of document.problems) {
      errors.push(located("", told("yaml-form", { why: message }), index + 1, read.lineAt(offset)));
    }
    if (document.problems.length === 0) readDocument(document, index + 1, read.lineAt, objects, errors);
    if (errors.length > maxErrors) break;
  }
  if (objects.length > maxObjects) errors.push(located("", told("max-objects", { count: maxObjects }), 1, 1));
  return errors.length > 0 ? fail(...errors.slice(0, maxErrors)) : ok(objects);
}

function readDocument(
  { value, contents, offset }: YamlDocument,
  index: number,
  lineAt: (offset: number) => number,
  objects: ConfigObject[],
  errors: DocumentError[],
): void {
  if (value === null || value === undefined) return;
  for (const { item, path } of itemsOf(value)) {
    if (errors.length > maxErrors) return;
    const result = parseObject(item);
    if (result.ok) {
      objects.push(result.value);
      continue;
    }
    const start = nodeAt(contents, path);
    for (const error of result.errors.slice(0, maxErrors)) {
      const node = nodeAt(start, parsePath(error.path)) ?? start ?? contents;
      const line = lineAt(node?.range?.[0] ?? offset);
      const prefix = path.length > 0 ? `items[${path[1]}]${error.path ? "." : ""}` : "";
      errors.push(located(`${prefix}${error.path}`, error, index, line));
    }
  }
}

/** A list's items with their paths, or the object itself. */
function itemsOf(value: unknown): { item: unknown; path: (string | number)[] }[] {
  if (typeof value === "object" && value !== null && "items" in value && "kind" in value) {
    if (Array.isArray(value.items) && /^([A-Z]\w*)?List$/.test(String(value.kind))) {
      return value.items.map((item: unknown, index) => ({ item, path: ["items", index] }));
    }
  }
  return [{ item: value, path: [] }];
}

const located = (path: string, what: Told, document: number, line: number): DocumentError => ({
  ...what,
  path,
  message: `${what.message} (document ${document}, line ${line})`,
  document,
  line,
});

/** The node at a path, or the nearest one above it that the document has: an absent field is reported where it should be. */
function nodeAt(root: Node | null | undefined, path: readonly (string | number)[]): Node | undefined {
  let at: Node | undefined = root ?? undefined;
  let nearest = at;
  for (const [depth, key] of path.entries()) {
    if (isMap(at)) {
      const pair = at.items.find((entry) => isScalar(entry.key) && String(entry.key.value) === String(key));
      const isLast = depth === path.length - 1;
      at = ((isLast ? pair?.key : pair?.value) ?? undefined) as Node | undefined;
    } else if (isSeq(at) && typeof key === "number") {
      at = at.items[key] as Node | undefined;
    } else {
      return nearest;
    }
    if (at === undefined || at === null) return nearest;
    nearest = at;
  }
  return nearest;
}
