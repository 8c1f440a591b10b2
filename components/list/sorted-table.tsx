"use client";
import { useUrlState } from "../lib/url-state.ts";
import { DataTable, type DataTableProps } from "../ui/data-table.tsx";

export interface SortedTableProps<Row> extends Omit<DataTableProps<Row>, "sort" | "onSort"> {
  /** The column's key, with `-` before it for descending. */
  defaultSort: string;
}

/** A table whose order is in the URL. */
export function SortedTable<Row>({ defaultSort, ...table }: SortedTableProps<Row>) {
  const url = useUrlState();
  return <DataTable {...table} sort={url.get("sort") ?? defaultSort} onSort={(sort) => url.set({ sort })} />;
}
