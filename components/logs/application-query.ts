import type { ApplicationLogSearch } from "../../server/contract/index.ts";
import { type RangeName, rangeNames } from "../ui/time-range.ts";
import { lineQuery } from "./log-query.ts";

const filters = ["text", "service", "severity", "trace"] as const satisfies (keyof ApplicationLogSearch)[];

/** What the form and the picker of time keep in the address. */
export const applicationParams = [...filters, ...rangeNames] as const;
export type ApplicationParam = (typeof filters)[number] | RangeName;

/** The part of an address that chooses lines, always in the same order, as the API is asked. */
export const applicationQuery = (get: (name: ApplicationParam) => string | null | undefined): string =>
  lineQuery(filters, get);
