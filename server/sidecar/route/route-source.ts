import type { RouteTable } from "./route-table.ts";

/** Holds the table in force; RDS swaps the table, whoever holds the holder sees the new one with the next request. */
export interface RouteSource {
  table: RouteTable | undefined;
}
