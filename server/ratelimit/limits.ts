import type { RateLimitConfigSpec, RateLimitDescriptorSpec } from "../config/kinds/index.ts";

export type Unit = "second" | "minute" | "hour" | "day" | "week" | "month" | "year";

/** Windows are of fixed length, as in Envoy's service: a month has 30 days, a year 365. */
export const unitSec: Record<Unit, number> = {
  second: 1,
  minute: 60,
  hour: 3_600,
  day: 86_400,
  week: 604_800,
  month: 2_592_000,
  year: 31_536_000,
};

export interface Limit {
  name: string;
  unit: Unit;
  requestsPerUnit: number;
  unlimited: boolean;
  shadow: boolean;
}

export interface Entry {
  key: string;
  value: string;
}

interface Node {
  limit: Limit | undefined;
  exact: Map<string, Node>;
  /** By key: the longest prefix first. */
  prefixes: Map<string, { prefix: string; node: Node }[]>;
  /** By key: any value. */
  any: Map<string, Node>;
}

/** The limits of all domains, looked up by descriptor. Immutable: a change of config makes another. */
export class RateLimits {
  readonly #domains = new Map<string, Node>();

  /** Of two configs of one domain the earlier counts, and both where they don't speak of the same. */
  constructor(configs: readonly RateLimitConfigSpec[]) {
    for (const { domain, descriptors } of configs) {
      const root = this.#domains.get(domain) ?? emptyNode();
      this.#domains.set(domain, root);
      addAll(root, descriptors);
    }
  }

  /**
   * The limit for a descriptor: each of its entries is matched in turn, by its exact value, else by the longest value with a `*` that fits, else by the
   * key alone; the last one's limit is it. https://github.com/envoyproxy/ratelimit#descriptor-list-definition
   */
  find(domain: string, entries: readonly Entry[]): Limit | undefined {
    let node = this.#domains.get(domain);
    for (const { key, value } of entries) {
      node =
        node?.exact.get(`${key}\0${value}`) ??
        node?.prefixes.get(key)?.find(({ prefix }) => value.startsWith(prefix))?.node ??
        node?.any.get(key);
      if (!node) return undefined;
    }
    return node?.limit;
  }
}

const emptyNode = (): Node => ({ limit: undefined, exact: new Map(), prefixes: new Map(), any: new Map() });

function addAll(parent: Node, descriptors: readonly RateLimitDescriptorSpec[]): void {
  for (const { key, value, rate_limit: limit, shadow_mode: shadow = false, descriptors: nested = [] } of descriptors) {
    const node = childOf(parent, key, value);
    if (limit && !node.limit) {
      node.limit = {
        name: limit.name ?? "",
        unit: limit.unit ?? "second",
        requestsPerUnit: limit.requests_per_unit ?? 0,
        unlimited: limit.unlimited ?? false,
        shadow,
      };
    }
    addAll(node, nested);
  }
}

function childOf(parent: Node, key: string, value: string | undefined): Node {
  if (value?.endsWith("*")) {
    const prefix = value.slice(0, -1);
    const known = parent.prefixes.get(key) ?? [];
    const same = known.find((one) => one.prefix === prefix);
    if (same) return same.node;
    const node = emptyNode();
    parent.prefixes.set(
      key,
      [...known, { prefix, node }].sort((a, b) => b.prefix.length - a.prefix.length),
    );
    return node;
  }
  const [map, name] = value === undefined || value === "" ? [parent.any, key] : [parent.exact, `${key}\0${value}`];
  const node = map.get(name) ?? emptyNode();
  map.set(name, node);
  return node;
}
