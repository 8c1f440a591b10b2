import { criteriaKey, sameValue } from "../../match/criteria.ts";
import type { Endpoint } from "../endpoint.ts";
import type { SubsetConfig } from "./subset-config.ts";

/** The endpoints that agree in some keys. */
export interface Subset {
  /** There is one, whatever its health and priority. */
  readonly single: boolean;
  readonly endpoints: Set<Endpoint>;
}

export interface Split {
  /** By {@link criteriaKey}. */
  readonly subsets: ReadonlyMap<string, Subset>;
  /** Endpoints that had to be left out of a subset of one. */
  readonly duplicates: number;
}

/** Which endpoints each selector puts together. One with a list of values may stand in several. */
export function split(endpoints: readonly Endpoint[], { selectors, listAsAny }: SubsetConfig): Split {
  const subsets = new Map<string, Subset>();
  let duplicates = 0;
  for (const endpoint of endpoints) {
    const values = endpoint.config.metadata?.["envoy.lb"] ?? {};
    for (const { keys, single } of selectors) {
      for (const pairs of combinations([...keys].sort(), values, listAsAny)) {
        const key = criteriaKey(pairs);
        const subset = subsets.get(key) ?? { single, endpoints: new Set() };
        subsets.set(key, subset);
        if (subset.single && subset.endpoints.size > 0) duplicates++;
        else subset.endpoints.add(endpoint);
      }
    }
  }
  return { subsets, duplicates };
}

/** None when one of the keys has no value. */
function combinations(
  keys: readonly string[],
  values: Readonly<Record<string, unknown>>,
  listAsAny: boolean,
): (readonly [string, unknown])[][] {
  let all: (readonly [string, unknown])[][] = [[]];
  for (const key of keys) {
    const value = values[key];
    if (value === undefined) return [];
    const each = listAsAny && Array.isArray(value) ? value : [value];
    all = all.flatMap((pairs) => each.map((one) => [...pairs, [key, one] as const]));
  }
  return all;
}

/** Whether an endpoint has all the values of a default subset. */
export function isLike(endpoint: Endpoint, wanted: Readonly<Record<string, unknown>>, listAsAny: boolean): boolean {
  const values = endpoint.config.metadata?.["envoy.lb"];
  return Object.entries(wanted).every(([key, value]) => {
    const own = values?.[key];
    if (own === undefined) return false;
    return sameValue(own, value) || (listAsAny && Array.isArray(own) && own.some((one) => sameValue(one, value)));
  });
}
