import { rangeQuery } from "../ui/time-range.ts";

/** The URL's parameters that narrow the search; the API's have the same names. */
export const searchFields = ["service", "operation", "min", "max", "errors", "tag"] as const;

/** How far back is looked at first, seconds. */
export const traceWindowSec = 3600;

/** How many of the newest are looked at. */
export const traceLimit = 300;

/** The API's query for what the page's URL says; server and browser make the same of it. */
export function traceSearch(get: (name: string) => string | null | undefined): Record<string, string> {
  const query: Record<string, string> = {
    ...rangeQuery(get, traceWindowSec),
    limit: String(traceLimit),
  };
  for (const name of searchFields) {
    const value = get(name);
    if (value) query[name] = value;
  }
  return query;
}
