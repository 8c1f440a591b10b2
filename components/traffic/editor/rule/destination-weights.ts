import type { WeightPart } from "../../rule-parts.ts";
import { apportion } from "../../split.ts";

export interface WrittenDestination {
  host: string;
  subset: string | undefined;
  /** As it is written; unset: none is. */
  weight: number | undefined;
}

export function readDestinations(route: unknown): WrittenDestination[] {
  return (Array.isArray(route) ? route : []).map((entry: unknown) => {
    const { destination, weight } = recordOf(entry);
    const { host, subset } = recordOf(destination);
    return {
      host: typeof host === "string" ? host : "",
      subset: typeof subset === "string" && subset !== "" ? subset : undefined,
      weight: typeof weight === "number" ? weight : undefined,
    };
  });
}

const recordOf = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};

/** What people call a destination: its subset, or as much of its host as tells it from the others'. */
export function destinationName({ host, subset }: WrittenDestination, all: readonly WrittenDestination[]): string {
  const hosts = [...new Set(all.map((one) => one.host))];
  if (subset !== undefined && hosts.length <= 1) return subset;
  const short = shortHost(host, hosts);
  return subset === undefined ? short : `${short} ${subset}`;
}

/** `shop` beside `cart`, `shop.prod` beside `shop.next`. */
function shortHost(host: string, hosts: readonly string[]): string {
  const labels = host.split(".");
  const first = (of: string, count: number) => of.split(".").slice(0, count).join(".");
  const count = labels.findIndex((_, i) =>
    hosts.every((one) => one === host || first(one, i + 1) !== first(host, i + 1)),
  );
  return count < 0 ? host : first(host, count + 1);
}

export interface Shares {
  /** They sum to a hundred as they are written, so that a bar can move them. */
  parts: WeightPart[] | null;
  sum: number;
}

/** Canaries by host as well as by subset: whatever the destinations are, their weights are shares of their sum. */
export function sharesOf(destinations: readonly WrittenDestination[], locked: ReadonlySet<number>): Shares {
  const only = destinations.length === 1;
  const weights = destinations.map(({ weight }) => weight ?? (only ? 100 : 0));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (sum !== 100 || weights.some((weight) => !Number.isInteger(weight) || weight < 0)) return { parts: null, sum };
  const parts = destinations.map((destination, index) => ({
    version: destinationName(destination, destinations),
    // A version looks as it does everywhere else, as long as no other destination would look like it.
    ...(destination.subset !== undefined &&
      destinations.filter(({ subset }) => subset === destination.subset).length === 1 && {
        colouredAs: destination.subset,
      }),
    subset: String(index),
    weight: weights[index] ?? 0,
    locked: locked.has(index),
  }));
  return { parts, sum };
}

/** Whole percents in the proportion of what is written; even where nothing is. */
export const asPercents = (destinations: readonly WrittenDestination[]): number[] =>
  apportion(
    100,
    destinations.map(({ weight }) => Math.max(0, weight ?? 0)),
  );
