"use client";
import { useUrlState } from "../lib/url-state.ts";
import { DataTable, type DataTableProps, sortColumn } from "../ui/data-table.tsx";

export interface SortedTableProps<Row> extends Omit<DataTableProps<Row>, "sort" | "onSort"> {
  /** The column's key, with `-` before it for descending. */
  defaultSort: string;
}

/** A table whose order is in the URL. Tables of one page share it: each follows where it has such a column. */
export function SortedTable<Row>({ defaultSort, ...table }: SortedTableProps<Row>) {
  const url = useUrlState();
  const asked = url.get("sort");
  const sort = asked !== null && sortColumn(table.columns, asked) ? asked : defaultSort;
  return <DataTable {...table} sort={sort} onSort={(next) => url.set({ sort: next })} />;
}
