import { isRecord } from "../body.ts";

/**
 * Lists whose entries are told apart by keys and merge one by one, as the schemas have them: core/v1's, and in Istio's CRDs the ports of
 * a ServiceEntry alone. All other lists are atomic, which is what Kubernetes takes a list without `x-kubernetes-list-type` for.
 * https://kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy
 */
const keysByList: Readonly<Record<string, readonly string[]>> = {
  "Service spec.ports": ["port", "protocol"],
  "ServiceEntry spec.ports": ["name"],
};
const keysOfAnyKind: Readonly<Record<string, readonly string[]>> = { "metadata.ownerReferences": ["uid"] };

/** What an entry that leaves a key out has there. */
const defaults: Readonly<Record<string, unknown>> = { protocol: "TCP" };

/** The keys of the list at a path, or undefined when it is atomic. */
export const listKeys = (kind: unknown, path: readonly string[]): readonly string[] | undefined =>
  keysByList[`${String(kind)} ${path.join(".")}`] ?? keysOfAnyKind[path.join(".")];

/**
 * A list's entries by their path segments (`k:{"port":80,"protocol":"TCP"}`, Kubernetes' own form). Undefined when they can't be told
 * apart: such a list is as good as atomic.
 */
export function entriesOf(list: readonly unknown[], keys: readonly string[]): Map<string, unknown> | undefined {
  const entries = new Map<string, unknown>();
  for (const item of list) {
    if (!isRecord(item)) return undefined;
    if (keys.some((key) => (item[key] ?? defaults[key]) === undefined)) return undefined;
    entries.set(entryName(item, keys), item);
  }
  return entries.size === list.length ? entries : undefined;
}

/** The path segment of a list's entry. */
export const entryName = (item: Record<string, unknown>, keys: readonly string[]): string =>
  `k:${JSON.stringify(Object.fromEntries(keys.map((key) => [key, item[key] ?? defaults[key]])))}`;

/** No field's name and no label's key begins like this. */
export const isEntry = (segment: string): boolean => segment.startsWith("k:{");

export const keysOfEntry = (segment: string): Record<string, unknown> =>
  JSON.parse(segment.slice(2)) as Record<string, unknown>;

/** `[port=80,protocol="TCP"]`, as Kubernetes writes entries in conflicts. */
export const formatEntry = (segment: string): string =>
  `[${Object.entries(keysOfEntry(segment))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(",")}]`;
