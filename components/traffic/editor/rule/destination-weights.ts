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

/** What people call a destination: its subset, or the first label of a host among several hosts. */
export function destinationName({ host, subset }: WrittenDestination, all: readonly WrittenDestination[]): string {
  const short = host.split(".")[0] ?? host;
  const hosts = new Set(all.map((one) => one.host));
  if (subset === undefined) return short;
  return hosts.size > 1 ? `${short} ${subset}` : subset;
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
