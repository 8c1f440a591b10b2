import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from "yaml";
import { type FieldError, fail, ok, type Result } from "../../lib/result.ts";
import type { ConfigObject } from "../object.ts";
import { parseObject } from "./index.ts";

/** Where in a text the error is; both count from one, and `message` ends with them. */
export interface DocumentError extends FieldError {
  document: number;
  line: number;
}

const maxTextBytes = 16 * 1024 * 1024;
const maxObjects = 10_000;

/**
 * Reads YAML or JSON: several documents divided by `---`, empty ones skipped, and `kind: List` (or `<Kind>List`) taken apart.
 * Every error of every document is returned, each with its line.
 */
export function parseDocuments(text: string): Result<ConfigObject[], DocumentError> {
  if (Buffer.byteLength(text) > maxTextBytes) return fail(located("", `must have at most ${maxTextBytes} bytes`, 1, 1));
  const lines = new LineCounter();
  let documents: Document.Parsed[];
  try {
    documents = [...parseAllDocuments(text, { lineCounter: lines, merge: true, prettyErrors: false })];
  } catch (error) {
    return fail(located("", `can't be read as YAML: ${messageOf(error)}`, 1, 1));
  }
  const objects: ConfigObject[] = [];
  const errors: DocumentError[] = [];
  documents.forEach((document, index) => {
    const lineAt = (offset: number) => Math.max(1, lines.linePos(offset).line);
    for (const error of document.errors) {
      errors.push(located("", `is not valid YAML: ${error.message}`, index + 1, lineAt(error.pos[0])));
    }
    if (document.errors.length > 0) return;
    readDocument(document, index + 1, lineAt, objects, errors);
  });
  if (objects.length > maxObjects) errors.push(located("", `must have at most ${maxObjects} objects`, 1, 1));
  return errors.length > 0 ? fail(...errors) : ok(objects);
}

function readDocument(
  document: Document.Parsed,
  index: number,
  lineAt: (offset: number) => number,
  objects: ConfigObject[],
  errors: DocumentError[],
): void {
  let value: unknown;
  try {
    value = document.toJS();
  } catch (error) {
    errors.push(located("", `can't be read: ${messageOf(error)}`, index, lineAt(document.range[0])));
    return;
  }
  if (value === null || value === undefined) return;
  for (const { item, path } of itemsOf(value)) {
    const result = parseObject(item);
    if (result.ok) {
      objects.push(result.value);
      continue;
    }
    const start = nodeAt(document.contents, path);
    for (const error of result.errors) {
      const node = nodeAt(start, segments(error.path)) ?? start ?? document.contents;
      const line = lineAt(node?.range?.[0] ?? document.range[0]);
      const prefix = path.length > 0 ? `items[${path[1]}]${error.path ? "." : ""}` : "";
      errors.push(located(`${prefix}${error.path}`, error.message, index, line));
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

const located = (path: string, message: string, document: number, line: number): DocumentError => ({
  path,
  message: `${message} (document ${document}, line ${line})`,
  document,
  line,
});

/** The keys of a path as `formatPath` writes it. */
function segments(path: string): (string | number)[] {
  const pattern = /\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.[\]]+)/g;
  return [...path.matchAll(pattern)].map(([, index, quoted, plain]) => {
    if (index !== undefined) return Number(index);
    return quoted !== undefined ? String(JSON.parse(`"${quoted}"`)) : (plain ?? "");
  });
}

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

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
