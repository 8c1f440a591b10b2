import { logFilterNames } from "../../server/contract/index.ts";

/** What the form keeps in the address and the API is asked with: the same names in both. */
export const logParams = [...logFilterNames, "window", "from", "to"] as const;
export type LogParam = (typeof logParams)[number];

/** Seconds; the API's own default is 900. */
export const logWindows = [60, 300, 900, 3600, 21_600, 86_400] as const;
export const defaultLogWindow = 900;

/** The part of an address that chooses lines, always in the same order. */
export function logQuery(get: (name: LogParam) => string | null | undefined): string {
  const query = new URLSearchParams();
  for (const name of logParams) {
    const value = get(name);
    if (value) query.set(name, value);
  }
  return query.toString();
}

/** `datetime-local` has no zone: it is the reader's own. */
export function toLocalTime(ms: string | null): string {
  if (!ms || !/^\d{1,15}$/.test(ms)) return "";
  const at = new Date(Number(ms));
  return Number.isNaN(at.getTime())
    ? ""
    : new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
}

/** Null for what is no whole time yet. */
export function fromLocalTime(text: string): string | null {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? null : String(ms);
}
