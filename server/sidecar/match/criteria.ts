import type { Metadata as MetadataProto } from "../../gen/proto/envoy/config/core/v3/base_pb.js";

type Values = Readonly<Record<string, unknown>>;

/**
 * What an endpoint's metadata of `envoy.lb` has to say: a route's `metadata_match`, or what was made of several.
 * https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/subsets
 */
export class MatchCriteria {
  readonly values: Values;
  /** In the order of their names. */
  readonly names: readonly string[];
  /** The same for the same values, and for no others. */
  readonly key: string;

  constructor(values: Values) {
    this.values = values;
    this.names = Object.keys(values).sort();
    this.key = criteriaKey(this.names.map((name) => [name, values[name]]));
  }

  /** With others, which go before these. */
  merged(others: Values): MatchCriteria {
    return new MatchCriteria({ ...this.values, ...others });
  }

  /** Those of these names. */
  only(names: ReadonlySet<string>): MatchCriteria {
    return new MatchCriteria(Object.fromEntries(Object.entries(this.values).filter(([name]) => names.has(name))));
  }
}

/** @param pairs in the order of their names */
export const criteriaKey = (pairs: readonly (readonly [string, unknown])[]): string =>
  JSON.stringify(pairs.map(([name, value]) => [name, canonical(value)]));

export const sameValue = (a: unknown, b: unknown): boolean =>
  JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));

/** A Struct's fields have no order. */
function canonical(value: unknown): unknown {
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map(canonical);
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, canonical(item)]),
  );
}

/** @param base what these go before; undefined: nothing is asked of endpoints so far */
export function compileCriteria(metadata: MetadataProto | undefined, base?: MatchCriteria): MatchCriteria | undefined {
  const values = metadata?.filterMetadata["envoy.lb"];
  if (values === undefined) return base;
  return base === undefined ? new MatchCriteria(values) : base.merged(values);
}

/** What a filter has found out about a request goes before what its route says. */
export function criteriaFor(route: MatchCriteria | undefined, dynamic: Values | undefined): MatchCriteria | undefined {
  if (dynamic === undefined) return route;
  return route === undefined ? new MatchCriteria(dynamic) : route.merged(dynamic);
}
