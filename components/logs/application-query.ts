import type { ApplicationLogSearch } from "../../server/contract/index.ts";

/** What the form keeps in the address and the API is asked with: the same names in both. */
export const applicationParams = [
  "text",
  "service",
  "severity",
  "trace",
  "window",
  "from",
  "to",
] as const satisfies (keyof ApplicationLogSearch)[];
export type ApplicationParam = (typeof applicationParams)[number];

/** The part of an address that chooses lines, always in the same order. */
export function applicationQuery(get: (name: ApplicationParam) => string | null | undefined): string {
  const query = new URLSearchParams();
  for (const name of applicationParams) {
    const value = get(name);
    if (value) query.set(name, value);
  }
  return query.toString();
}
