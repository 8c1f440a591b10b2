import { timeWindows } from "../ui/time-window.ts";

/** The URL's parameters that narrow the search; the API's have the same names. */
export const searchFields = ["service", "operation", "min", "max", "errors", "tag"] as const;
const passedOn = [...searchFields, "from", "to"] as const;

/** Seconds. */
export const parseTraceWindow = (text: string | null | undefined): number =>
  timeWindows.find((seconds) => String(seconds) === text) ?? 3600;

/** How many of the newest are looked at. */
export const traceLimit = 300;

/** The API's query for what the page's URL says; server and browser make the same of it. */
export function traceSearch(get: (name: string) => string | null | undefined): Record<string, string> {
  const query: Record<string, string> = { window: String(parseTraceWindow(get("window"))), limit: String(traceLimit) };
  for (const name of passedOn) {
    const value = get(name);
    if (value) query[name] = value;
  }
  return query;
}
