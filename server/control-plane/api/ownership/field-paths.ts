import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../body.ts";
import { entriesOf, entryName, formatEntry, isEntry, keysOfEntry, listKeys } from "./keyed-lists.ts";

/**
 * A set of fields, each the JSON text of its path (`["spec","http"]`). Fields are leaves: scalars, atomic lists and empty maps. A map with
 * entries is owned through them, and so is a list with keys (`["spec","ports","k:{\"name\":\"http\"}","number"]`).
 */
export type FieldSet = Set<string>;

type Path = readonly string[];

/** The fields of `a` that are in none of the others. */
export const minus = (a: FieldSet, ...others: readonly FieldSet[]): FieldSet =>
  new Set([...a].filter((field) => !others.some((other) => other.has(field))));

export const pathKey = (path: Path): string => JSON.stringify(path);
export const parsePathKey = (key: string): string[] => JSON.parse(key) as string[];

/** `.spec.http` or `.metadata.labels.app`, as Kubernetes writes paths in conflicts. */
export const formatPath = (key: string): string =>
  parsePathKey(key)
    .map((name) => (isEntry(name) ? formatEntry(name) : `.${name}`))
    .join("");

/** What nobody owns: identity, and what the server itself writes. */
const unowned = new Set(
  [
    ["apiVersion"],
    ["kind"],
    ["status"],
    ...["name", "generateName", "namespace", "uid", "resourceVersion", "generation"].map((name) => ["metadata", name]),
    ...["creationTimestamp", "managedFields", "selfLink"].map((name) => ["metadata", name]),
  ].map(pathKey),
);

/** Every field that an object sets. */
export function fieldsOf(object: unknown): Set<string> {
  const fields = new Set<string>();
  visitLeaves(kindOf(object), object, [], (path) => fields.add(pathKey(path)));
  return fields;
}

/** What a write did: fields with a new value, and fields that are gone. */
export function compareFields(before: unknown, after: unknown): { changed: Set<string>; removed: Set<string> } {
  const old = new Map<string, unknown>();
  visitLeaves(kindOf(before), before, [], (path, value) => old.set(pathKey(path), value));
  const changed = new Set<string>();
  const removed = new Set(old.keys());
  visitLeaves(kindOf(after), after, [], (path, value) => {
    const key = pathKey(path);
    removed.delete(key);
    if (!old.has(key) || !isDeepStrictEqual(old.get(key), value)) changed.add(key);
  });
  return { changed, removed };
}

/** What is to go, by the names on the way; undefined: the field itself. */
type Going = Map<string, Going | undefined>;

/**
 * A copy without the fields; a map or list that becomes empty by it goes too. The keys of a list's entry go with the entry, and that only
 * when nothing but keys is left of it.
 */
export function withoutFields(object: unknown, paths: Iterable<Path>): unknown {
  const root: Going = new Map();
  for (const path of paths) {
    let node = root;
    for (const [depth, name] of path.entries()) {
      if (depth === path.length - 1) node.set(name, undefined);
      else {
        const child = node.get(name);
        if (child === undefined && node.has(name)) break; // goes as a whole
        const next = child ?? new Map();
        node.set(name, next);
        node = next;
      }
    }
  }
  return root.size > 0 ? without(object, root) : object;
}

function without(value: unknown, going: Going): unknown {
  if (Array.isArray(value)) return withoutInEntries(value, going);
  if (!isRecord(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [name, child] of Object.entries(value)) {
    if (!going.has(name)) {
      result[name] = child;
      continue;
    }
    const below = going.get(name);
    if (below === undefined) continue;
    const inner = without(child, below);
    if (!isEmpty(inner) || isEmpty(child)) result[name] = inner;
  }
  return result;
}

function withoutInEntries(list: readonly unknown[], going: Going): unknown[] {
  const names = [...going.keys()].find(isEntry);
  const keys = names === undefined ? [] : Object.keys(keysOfEntry(names));
  return list.flatMap((item) => {
    const below = isRecord(item) ? going.get(entryName(item, keys)) : undefined;
    if (below === undefined || !isRecord(item)) return [item];
    // Its keys go last, with what is left of the entry.
    const rest = without(item, new Map([...below].filter(([name]) => !keys.includes(name)))) as Record<string, unknown>;
    const isBare = Object.keys(rest).every((name) => keys.includes(name));
    return isBare && keys.some((name) => below.has(name)) ? [] : [rest];
  });
}

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;

const kindOf = (object: unknown): unknown => (isRecord(object) ? object.kind : undefined);

/** Fields by what stands above them, so that asking which of many fields a write touches costs no more than the depth of its path. */
export class FieldIndex {
  readonly #fields: FieldSet;
  readonly #above = new Set<string>();

  constructor(fields: FieldSet) {
    this.#fields = fields;
    for (const field of fields) for (const prefix of prefixesOf(field)) this.#above.add(prefix);
  }

  /** Whether the field, or one inside of it, is among them. */
  hasInside(field: string): boolean {
    return this.#fields.has(field) || this.#above.has(field);
  }

  /** Whether one of them is the field, lies inside of it, or has it inside: then a write of one touches the other. */
  overlaps(field: string): boolean {
    return this.hasInside(field) || prefixesOf(field).some((prefix) => this.#fields.has(prefix));
  }
}

/** The paths of what a field stands in, but for the object itself. */
function prefixesOf(field: string): string[] {
  const path = parsePathKey(field);
  return path.slice(1).map((_, index) => pathKey(path.slice(0, index + 1)));
}

function visitLeaves(kind: unknown, value: unknown, path: Path, visit: (path: Path, value: unknown) => void): void {
  if (path.length > 0 && path.length <= 2 && unowned.has(pathKey(path))) return;
  if (isRecord(value) && (Object.keys(value).length > 0 || path.length === 0)) {
    for (const [name, child] of Object.entries(value)) visitLeaves(kind, child, [...path, name], visit);
    return;
  }
  const keys = Array.isArray(value) && value.length > 0 ? listKeys(kind, path) : undefined;
  const entries = keys && Array.isArray(value) ? entriesOf(value, keys) : undefined;
  if (entries) {
    for (const [entry, item] of entries) visitLeaves(kind, item, [...path, entry], visit);
  } else if (value !== undefined && value !== null && path.length > 0) visit(path, value);
}
