import { logFilterNames } from "../../server/contract/index.ts";
import { type RangeName, rangeNames, rangeQuery } from "../ui/time-range.ts";

/** What the form and the picker of time keep in the address. */
export const logParams = [...logFilterNames, ...rangeNames] as const;
export type LogParam = (typeof logParams)[number];

/** Seconds; the API's own default, too. */
export const defaultLogWindow = 900;

/** The part of an address that chooses lines, always in the same order, as the API is asked. */
export const logQuery = (get: (name: LogParam) => string | null | undefined): string => lineQuery(logFilterNames, get);

/** The same of lines that are chosen by other filters. */
export function lineQuery<Name extends string>(
  filters: readonly Name[],
  get: (name: Name | RangeName) => string | null | undefined,
): string {
  const query = new URLSearchParams();
  for (const name of filters) {
    const value = get(name);
    if (value) query.set(name, value);
  }
  // The comparison is no matter of lines.
  const range = rangeQuery((name) => (name === "compare" ? null : get(name)), defaultLogWindow);
  for (const [name, value] of Object.entries(range)) query.set(name, value);
  return query.toString();
}
