import { parse } from "yaml";
import type { ChangedObject, MeshExport } from "../contract/index.ts";
import { kinds } from "./kinds/index.ts";
import { permanentNamespaces } from "./kinds/namespace.ts";
import { type ConfigObject, formatKey, keyOf, type ResourceKey } from "./object.ts";
import { sameJson } from "./plan-commit.ts";
import type { Write } from "./store.ts";
import { toYaml } from "./to-yaml.ts";

type Exported = MeshExport["objects"];

/** Not as it is in force, but for what servers and clients fill in. */
export function differsFrom(inForce: Exported): (object: ConfigObject) => boolean {
  const yaml = new Map(inForce.map((object) => [formatKey(object), object.yaml]));
  return (object) => {
    const stored = yaml.get(formatKey(keyOf(object)));
    return stored === undefined || !isSame(toYaml(object), stored);
  };
}

/** The same object, in whatever order its fields were written. */
const isSame = (one: string, other: string): boolean => one === other || sameJson(parse(one), parse(other));

/** What two meshes have otherwise, or only one of them. */
export function differencesOf(before: Exported, after: Exported): ChangedObject[] {
  const old = new Map(before.map((object) => [formatKey(object), object.yaml]));
  const fresh = new Map(after.map((object) => [formatKey(object), object.yaml]));
  const all = new Map([...before, ...after].map((object) => [formatKey(object), object]));
  return inOrder([...all.values()]).flatMap(({ kind, namespace, name }) => {
    const key = formatKey({ kind, namespace, name });
    const [was, is] = [old.get(key), fresh.get(key)];
    const same = was !== undefined && is !== undefined && isSame(was, is);
    return same ? [] : [{ kind, namespace, name, before: was ?? "", after: is ?? "" }];
  });
}

/** What is in force and not among the objects; namespaces that are always there are nobody's to name. */
export function surplusOf(objects: readonly ConfigObject[], inForce: Exported): ResourceKey[] {
  const named = new Set(objects.map((object) => formatKey(keyOf(object))));
  return inForce
    .map(({ kind, namespace, name }) => ({ kind, namespace, name }))
    .filter(
      (key) => !named.has(formatKey(key)) && !(key.kind === "Namespace" && permanentNamespaces.includes(key.name)),
    );
}

/** What goes with its namespace is not deleted twice. */
export function deletesOf(surplus: readonly ResourceKey[]): Write[] {
  const gone = new Set(surplus.flatMap(({ kind, name }) => (kind === "Namespace" ? [name] : [])));
  return surplus.filter(({ namespace }) => !gone.has(namespace)).map((key) => ({ op: "delete", key }));
}

/** The objects of an export in the order in which they can be applied. */
export function inOrder(objects: Exported): Exported {
  const place = new Map(kinds.map(({ kind }, index) => [kind, index]));
  const order = ({ kind, namespace, name }: Exported[number]) =>
    `${String(place.get(kind) ?? 99).padStart(3, "0")} ${namespace}/${name}`;
  return objects.toSorted((a, b) => (order(a) < order(b) ? -1 : 1));
}

/** An export as one text, as `limpid export` prints it. */
export const meshText = (objects: Exported): string =>
  inOrder(objects)
    .map(({ yaml }) => yaml)
    .join("---\n");
