import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../body.ts";
import { entriesOf, formatEntry, isEntry, isNamedBy, keysOfEntry, listKeys } from "./keyed-lists.ts";

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
  const changed = new Set<string>();
  const stillThere = new Set<string>();
  visitLeaves(kindOf(after), after, [], (path, value) => {
    stillThere.add(pathKey(path));
    if (!isDeepStrictEqual(valueAt(before, path), value)) changed.add(pathKey(path));
  });
  const removed = new Set<string>();
  visitLeaves(kindOf(before), before, [], (path) => {
    if (!stillThere.has(pathKey(path))) removed.add(pathKey(path));
  });
  return { changed, removed };
}

export function valueAt(object: unknown, path: Path): unknown {
  let value: unknown = object;
  for (const name of path) {
    if (isEntry(name)) {
      if (!Array.isArray(value)) return undefined;
      value = value.find((item) => isNamedBy(name, item));
      continue;
    }
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/**
 * A copy without the field; a map or list that becomes empty by it goes too. The key of a list's entry goes with the entry, and that only
 * when nothing but keys is left of it.
 */
export function withoutField(object: unknown, path: Path): unknown {
  const [name, ...rest] = path;
  if (name !== undefined && isEntry(name) && Array.isArray(object)) return withoutInEntry(object, name, rest);
  if (!isRecord(object) || name === undefined || !Object.hasOwn(object, name)) return object;
  const { [name]: value, ...others } = object;
  if (rest.length === 0) return others;
  const inner = withoutField(value, rest);
  if (inner !== value && isEmpty(inner)) return others;
  return { ...object, [name]: inner };
}

function withoutInEntry(list: readonly unknown[], entry: string, path: Path): unknown {
  const keys = Object.keys(keysOfEntry(entry));
  return list.flatMap((item) => {
    if (!isNamedBy(entry, item) || !isRecord(item)) return [item];
    if (!isKeyOf(entry, path)) return [withoutField(item, path)];
    return Object.keys(item).every((name) => keys.includes(name)) ? [] : [item];
  });
}

const isKeyOf = (entry: string, path: Path): boolean =>
  path.length === 1 && Object.hasOwn(keysOfEntry(entry), path[0] ?? "");

/** Whether the field is a key of the list's entry that it stands in. */
export function isEntryKey(path: Path): boolean {
  const entry = path.at(-2);
  return entry !== undefined && isEntry(entry) && isKeyOf(entry, path.slice(-1));
}

const isEmpty = (value: unknown): boolean =>
  Array.isArray(value) ? value.length === 0 : isRecord(value) && Object.keys(value).length === 0;

const kindOf = (object: unknown): unknown => (isRecord(object) ? object.kind : undefined);

/** True when the two paths are one, or one lies inside the other: then a write of one touches the other. */
export function overlaps(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long.startsWith(`${short.slice(0, -1)},`);
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
