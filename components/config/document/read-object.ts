import { type Document, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import type { Path } from "./yaml-edit.ts";

export interface MeshObject {
  apiVersion?: string;
  kind?: string;
  metadata?: { name?: string; namespace?: string; annotations?: Record<string, string>; [field: string]: unknown };
  spec?: Record<string, unknown>;
  [field: string]: unknown;
}

/** Where a text is no YAML; offsets in characters. */
export interface YamlProblem {
  message: string;
  from: number;
  to: number;
}

export type ReadObject = { ok: true; object: MeshObject } | { ok: false; problems: YamlProblem[] };

/** One document as plain JSON, or all that is wrong with its text. */
export function readObject(text: string): ReadObject {
  const document = parseDocument(text, { prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map(({ message, pos: [from, to] }) => ({ message, from, to }));
    return { ok: false, problems };
  }
  const value = plainOf(document);
  if (value instanceof Error) return { ok: false, problems: [{ message: value.message, from: 0, to: text.length }] };
  if (typeof value === "object" && value !== null && !Array.isArray(value))
    return { ok: true, object: value as MeshObject };
  return { ok: false, problems: [{ message: "must be one object", from: 0, to: Math.min(text.length, 1) }] };
}

/** Aliases that lead nowhere, or multiply without end, are told when they are followed only. */
function plainOf(document: Document): unknown {
  try {
    return document.toJS();
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

export interface Place {
  from: number;
  to: number;
  /** Counts from one. */
  line: number;
}

/** Where the field at a path stands: its key, or the nearest above it that there is, for one that is missing. Null: no such text. */
export function placeOf(text: string, path: Path): Place | null {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  let at: Node | null = document.contents;
  let named: Node | null = at;
  for (const part of path) {
    const found: { key: Node | null; value: Node | null } | null = step(at, part);
    if (!found) break;
    named = found.key ?? named;
    at = found.value;
  }
  const range = named?.range;
  if (!range) return null;
  const end = text.indexOf("\n", range[0]);
  const to = Math.max(range[0], Math.min(range[1], end < 0 ? text.length : end));
  return { from: range[0], to, line: lines.linePos(range[0]).line };
}

function step(node: Node | null, part: string | number): { key: Node | null; value: Node | null } | null {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
    return pair ? { key: pair.key as Node, value: (pair.value ?? null) as Node | null } : null;
  }
  if (isSeq(node) && typeof part === "number") {
    const item = (node.items[part] ?? null) as Node | null;
    return item ? { key: item, value: item } : null;
  }
  return null;
}
