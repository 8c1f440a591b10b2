import { isDeepStrictEqual } from "node:util";
import { isRecord } from "../body.ts";
import { badRequest } from "../status-error.ts";

/** Lists that merge by element, as in Kubernetes' Go structs: path (without indexes) → key of its elements. Other lists are atomic. */
export type MergeKeys = Readonly<Record<string, string>>;

/**
 * Kubernetes' strategic merge patch: maps merge, listed lists merge by key, and the directives `$patch`, `$setElementOrder/x`,
 * `$deleteFromPrimitiveList/x` and `$retainKeys` are followed.
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
    for (const key of Object.keys(result)) if (!patch.$retainKeys.includes(key)) delete result[key];
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
      result[field] = list.filter((item) => !value.some((gone) => isDeepStrictEqual(gone, item)));
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
  for (const item of patch) {
    if (!isRecord(item) || item[mergeKey] === undefined) {
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${mergeKey}`);
    }
    const index = result.findIndex((old) => isRecord(old) && old[mergeKey] === item[mergeKey]);
    if (item.$patch === "delete") {
      if (index >= 0) result.splice(index, 1);
    } else if (index >= 0) result[index] = mergeValue(result[index], item, keys, path);
    else result.push(withoutDirectives(item));
  }
  return result;
}

/** Elements named by `order` stand in its order; the others keep their places after what came before them. */
function reorder(list: unknown[], order: unknown[], mergeKey: string | undefined): unknown[] {
  const keyOf = (item: unknown): unknown => (mergeKey !== undefined && isRecord(item) ? item[mergeKey] : item);
  const rank = (item: unknown): number => order.findIndex((entry) => isDeepStrictEqual(keyOf(entry), keyOf(item)));
  const named = list.filter((item) => rank(item) >= 0).sort((a, b) => rank(a) - rank(b));
  let next = 0;
  return list.map((item) => (rank(item) >= 0 ? named[next++] : item));
}

function withoutDirectives(value: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith("$")));
}

/** https://kubernetes.io/docs/reference/kubernetes-api/service-resources/service-v1/: patchMergeKey of core kinds' lists. */
export const coreMergeKeys: MergeKeys = {
  "spec.ports": "port",
  "metadata.ownerReferences": "uid",
};
