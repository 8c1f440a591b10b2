import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import { formatPath } from "../../../server/wire/field-path.ts";
import { textStyle } from "./text-style.ts";
import { type Path, valueAt, type YamlEdit } from "./yaml-edit.ts";

/** An edit that the document has no place for: behind an alias, or where something else stands. */
export class EditError extends Error {
  readonly path: string;
  constructor(path: Path, why: string) {
    super(`${formatPath(path)}: ${why}`);
    this.name = "EditError";
    this.path = formatPath(path);
  }
}

/**
 * The text of one YAML document after edits: all that they don't touch stays, fields that nobody knows and comments, too. What only
 * changes a scalar changes no other character; anything else is written by the document in the text's own style. Throws `EditError`, and
 * leaves a text that is no YAML alone.
 */
export const editText = (text: string, edits: readonly YamlEdit[]): string => edits.reduce(editOnce, text);

function editOnce(text: string, edit: YamlEdit): string {
  const document = parseDocument(text);
  if (document.errors.length > 0) return text;
  if (edit.op === "set") {
    const before = valueAt(document.toJS(), edit.path);
    if (sameJson(before, edit.value)) return text;
    const quick = replaceScalar(text, document, edit.path, edit.value);
    if (quick !== null) return quick;
  }
  perform(document, edit);
  return document.toString(textStyle(text));
}

/** Only the characters of a scalar; null where there is none, or the new one would be read as something else. */
function replaceScalar(text: string, document: Document.Parsed, path: Path, value: unknown): string | null {
  const node = document.getIn(path, true);
  if (!isScalar(node) || !isPlainScalar(node) || !isScalarValue(value)) return null;
  const [start, end] = node.range ?? [0, 0];
  const written = stringify(value, { lineWidth: 0 }).trimEnd();
  if (end <= start || written.includes("\n")) return null;
  const next = text.slice(0, start) + written + text.slice(end);
  const read = parseDocument(next);
  return read.errors.length === 0 && sameJson(valueAt(read.toJS(), path), value) && othersStand(document, read, path)
    ? next
    : null;
}

const isPlainScalar = ({ anchor, tag, source, type }: Scalar): boolean =>
  anchor === undefined && tag === undefined && source !== "" && type !== "BLOCK_FOLDED" && type !== "BLOCK_LITERAL";

const isScalarValue = (value: unknown): boolean => ["string", "number", "boolean"].includes(typeof value);

/** A plain scalar in a flow list might take its neighbours in. */
function othersStand(before: Document.Parsed, after: Document.Parsed, path: Path): boolean {
  const [left, right] = [before.clone(), after.clone()] as Document[];
  left?.setIn(path, null);
  right?.setIn(path, null);
  return sameJson(left?.toJS(), right?.toJS());
}

function perform(document: Document.Parsed, edit: YamlEdit): void {
  switch (edit.op) {
    case "set":
      if (edit.value === undefined) remove(document, edit.path);
      else put(document, edit.path, edit.value);
      return;
    case "insert": {
      const list = listAt(document, edit.path) ?? put(document, edit.path, []);
      if (!isSeq(list)) throw new EditError(edit.path, "is no list");
      list.flow = list.items.length > 0 ? (list.flow ?? false) : false;
      list.items.splice(edit.index, 0, document.createNode(edit.value));
      return;
    }
    case "move": {
      const list = neededList(document, edit.path);
      keepFirstComment(list);
      const [item] = list.items.splice(edit.from, 1);
      if (item !== undefined) list.items.splice(edit.to, 0, item);
      return;
    }
    case "duplicate": {
      const list = neededList(document, edit.path);
      const item = list.items[edit.index] as Node | undefined;
      if (item) list.items.splice(edit.index + 1, 0, item.clone() as Node);
      return;
    }
    case "rename": {
      const map = document.getIn(edit.path, true);
      if (!isMap(map)) throw new EditError(edit.path, "has no fields");
      if (map.has(edit.to)) throw new EditError([...edit.path, edit.to], "is there already");
      const pair = (map as YAMLMap).items.find(({ key }) => isScalar(key) && String(key.value) === edit.from);
      if (pair && isScalar(pair.key)) (pair as Pair<Scalar>).key.value = edit.to;
    }
  }
}

/** Makes the fields on the way. Returns the node. */
function put(document: Document.Parsed, path: Path, value: unknown): unknown {
  for (let depth = 1; depth <= path.length; depth++) {
    const at = path.slice(0, depth);
    const node = document.getIn(at, true);
    if (isAlias(node)) throw new EditError(at, "stands for something else (an alias): edit the YAML");
    if (depth === path.length) break;
    const next = path[depth];
    if (node === undefined || (isScalar(node) && node.value === null)) {
      document.setIn(at, document.createNode(typeof next === "number" ? [] : {}));
    } else if (!isCollection(node)) throw new EditError(at, "has no fields");
    else if (node.items.length === 0) node.flow = false;
  }
  const known = document.getIn(path, true);
  if (isScalar(known) && isScalarValue(value)) {
    known.value = value;
    return known;
  }
  document.setIn(path, document.createNode(value));
  return document.getIn(path, true);
}

/** As long as fields become empty by it they go, too; an item of a list stays, since an empty one says something. */
function remove(document: Document.Parsed, path: Path): void {
  if (document.getIn(path, true) === undefined) return;
  document.deleteIn(path);
  for (let depth = path.length - 1; depth > 1; depth--) {
    const at = path.slice(0, depth);
    const node = document.getIn(at, true);
    if (!isCollection(node) || node.items.length > 0 || typeof at.at(-1) === "number") return;
    document.deleteIn(at);
  }
}

function listAt(document: Document.Parsed, path: Path): YAMLSeq | undefined {
  const node = document.getIn(path, true);
  return isSeq(node) ? node : undefined;
}

function neededList(document: Document.Parsed, path: Path): YAMLSeq {
  const list = listAt(document, path);
  if (!list) throw new EditError(path, "is no list");
  return list;
}

/** The comment before the first item is the list's by the parser's reckoning; whoever wrote it meant the item. */
function keepFirstComment(list: YAMLSeq): void {
  const first = list.items[0] as Node | undefined;
  if (!list.commentBefore || !first || first.commentBefore) return;
  first.commentBefore = list.commentBefore;
  list.commentBefore = null;
}

/** Both are JSON; the order of fields counts for nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  if (Array.isArray(a) !== Array.isArray(b)) return false;
  const [left, right] = [Object.entries(a), new Map(Object.entries(b))];
  return left.length === right.size && left.every(([key, value]) => right.has(key) && sameJson(value, right.get(key)));
}
