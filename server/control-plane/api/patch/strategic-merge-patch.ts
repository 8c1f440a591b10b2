import { isRecord } from "../body.ts";
import { badRequest } from "../status-error.ts";

/** Lists that merge by element, as in Kubernetes' Go structs: path (without indexes) → key of its elements. Other lists are atomic. */
export type MergeKeys = Readonly<Record<string, string>>;

/**
 * Kubernetes' strategic merge patch: maps merge, listed lists merge by key, and the directives `$patch`, `$setElementOrder/x`,
 * `$deleteFromPrimitiveList/x` and `$retainKeys` are followed. Takes time in proportion to target and patch.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-api-machinery/strategic-merge-patch.md
 * Throws 400 on a directive it can't follow.
 */
export function strategicMergePatch(target: unknown, patch: unknown, mergeKeys: MergeKeys): unknown {
  return mergeValue(target, patch, mergeKeys, "");
}

function mergeValue(target: unknown, patch: unknown, keys: MergeKeys, path: string): unknown {
  if (Array.isArray(patch)) return mergeList(target, patch, keys, path);
  if (!isRecord(patch)) return patch;
  return mergeMap(isRecord(target) ? target : {}, patch, keys, path);
}

function mergeMap(
  target: Record<string, unknown>,
  patch: Record<string, unknown>,
  keys: MergeKeys,
  path: string,
): Record<string, unknown> {
  const directive = patch.$patch;
  if (directive === "replace") return withoutDirectives(patch);
  if (directive === "delete") return {};
  if (directive !== undefined && directive !== "merge") {
    throw badRequest(`unknown patch directive ${JSON.stringify(directive)}`);
  }
  const result: Record<string, unknown> = { ...target };
  for (const [key, value] of Object.entries(patch)) {
    if (key.startsWith("$")) continue;
    if (value === null) delete result[key];
    else result[key] = mergeValue(result[key], value, keys, path ? `${path}.${key}` : key);
  }
  if (Array.isArray(patch.$retainKeys)) {
    const retained = new Set<unknown>(patch.$retainKeys);
    for (const key of Object.keys(result)) if (!retained.has(key)) delete result[key];
  }
  applyListDirectives(result, patch, keys, path);
  return result;
}

function applyListDirectives(
  result: Record<string, unknown>,
  patch: Record<string, unknown>,
  keys: MergeKeys,
  path: string,
): void {
  for (const [key, value] of Object.entries(patch)) {
    const [directive, field] = key.split("/");
    if (!key.startsWith("$") || field === undefined || !Array.isArray(value)) continue;
    const list = Array.isArray(result[field]) ? (result[field] as unknown[]) : [];
    if (directive === "$deleteFromPrimitiveList") {
      const gone = new Set(value.map(textOf));
      result[field] = list.filter((item) => !gone.has(textOf(item)));
    } else if (directive === "$setElementOrder" && result[field] !== undefined) {
      result[field] = reorder(list, value, keys[path ? `${path}.${field}` : field]);
    } else if (directive !== "$setElementOrder") {
      throw badRequest(`unknown patch directive ${JSON.stringify(key)}`);
    }
  }
}

function mergeList(target: unknown, patch: unknown[], keys: MergeKeys, path: string): unknown[] {
  const mergeKey = keys[path];
  if (mergeKey === undefined) return patch;
  if (patch.some((item) => isRecord(item) && item.$patch === "replace")) {
    return patch.filter((item) => !(isRecord(item) && item.$patch === "replace"));
  }
  const result: unknown[] = Array.isArray(target) ? [...target] : [];
  const places = new Map<string, number>();
  for (const [index, item] of result.entries()) {
    const name = isRecord(item) ? textOf(item[mergeKey]) : undefined;
    if (name !== undefined && !places.has(name)) places.set(name, index);
  }
  const gone = new Set<number>();
  for (const item of patch) {
    if (!isRecord(item) || item[mergeKey] === undefined) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const name = textOf(item[mergeKey]);
    const index = places.get(name);
    if (item.$patch === "delete") {
      if (index !== undefined) gone.add(index);
      places.delete(name);
    } else if (index !== undefined) result[index] = mergeValue(result[index], item, keys, path);
    else places.set(name, result.push(withoutDirectives(item)) - 1);
  }
  return gone.size > 0 ? result.filter((_, index) => !gone.has(index)) : result;
}

/** Elements named by `order` stand in its order; the others keep their places after what came before them. */
function reorder(list: unknown[], order: unknown[], mergeKey: string | undefined): unknown[] {
  const nameOf = (item: unknown): string => textOf(mergeKey !== undefined && isRecord(item) ? item[mergeKey] : item);
  const ranks = new Map<string, number>();
  for (const [index, entry] of order.entries()) if (!ranks.has(nameOf(entry))) ranks.set(nameOf(entry), index);
  const ranked = list.map((item) => ({ item, rank: ranks.get(nameOf(item)) }));
  const named = ranked.filter((one) => one.rank !== undefined).sort((a, b) => (a.rank ?? 0) - (b.rank ?? 0));
  let next = 0;
  return ranked.map(({ item, rank }) => (rank === undefined ? item : named[next++]?.item));
}

/** Scalars that are equal have the same text, and no others; undefined is none. */
const textOf = (value: unknown): string => JSON.stringify(value) ?? "";

function withoutDirectives(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("$")));
}

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/: patchMergeKey of core kinds' lists. */
export const coreMergeKeys: MergeKeys = {
  "spec.ports": "port",
  "metadata.ownerReferences": "uid",
};
