import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../body.ts";

/**
 * A set of fields, each the JSON text of its path (`["spec","http"]`). Fields are leaves: scalars, lists (all of them atomic, as in Istio's
 * CRDs) and empty maps. A map with entries is owned through them.
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
    .map((name) => `.${name}`)
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
  visitLeaves(object, [], (path) => fields.add(pathKey(path)));
  return fields;
}

/** What a write did: fields with a new value, and fields that are gone. */
export function compareFields(before: unknown, after: unknown): { changed: Set<string>; removed: Set<string> } {
  const changed = new Set<string>();
  const stillThere = new Set<string>();
  visitLeaves(after, [], (path, value) => {
    stillThere.add(pathKey(path));
    if (!isDeepStrictEqual(valueAt(before, path), value)) changed.add(pathKey(path));
  });
  const removed = new Set<string>();
  visitLeaves(before, [], (path) => {
    if (!stillThere.has(pathKey(path))) removed.add(pathKey(path));
  });
  return { changed, removed };
}

export function valueAt(object: unknown, path: Path): unknown {
  let value: unknown = object;
  for (const name of path) {
    if (!isRecord(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A copy without the field; a map that becomes empty by it goes too. */
export function withoutField(object: unknown, path: Path): unknown {
  const [name, ...rest] = path;
  if (!isRecord(object) || name === undefined || !Object.hasOwn(object, name)) return object;
  const { [name]: value, ...others } = object;
  if (rest.length === 0) return others;
  const inner = withoutField(value, rest);
  if (isRecord(inner) && Object.keys(inner).length === 0 && inner !== value) return others;
  return { ...object, [name]: inner };
}

/** True when the two paths are one, or one lies inside the other: then a write of one touches the other. */
export function overlaps(a: string, b: string): boolean {
  if (a === b) return true;
  const [short, long] = a.length < b.length ? [a, b] : [b, a];
  return long.startsWith(`${short.slice(0, -1)},`);
}

function visitLeaves(value: unknown, path: Path, visit: (path: Path, value: unknown) => void): void {
  if (path.length > 0 && path.length <= 2 && unowned.has(pathKey(path))) return;
  if (isRecord(value) && (Object.keys(value).length > 0 || path.length === 0)) {
    for (const [name, child] of Object.entries(value)) visitLeaves(child, [...path, name], visit);
  } else if (value !== undefined && value !== null && path.length > 0) visit(path, value);
}
