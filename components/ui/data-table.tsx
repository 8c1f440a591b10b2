"use client";
import { type ReactNode, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import styles from "./data-table.module.css";
import { PillButton } from "./pill.tsx";

export interface Column<Row> {
  key: string;
  /** Empty: its cells are what can be done with the row. */
  header: ReactNode;
  cell: (row: Row) => ReactNode;
  align?: "left" | "right";
  /** Makes the column sortable. Numbers sort largest first at the first press, words from a. */
  sortValue?: (row: Row) => number | string;
  /** On a phone, where each row is a card: the title line, a labelled fact (default), or left out. */
  phone?: "title" | "fact" | "hidden";
  width?: number | string;
  /** Left out where the table has less room than this many pixels, beside a sheet for one. */
  needs?: 900 | 1100;
}

export interface DataTableProps<Row> {
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  rowKey: (row: Row) => string;
  /** A column's key, with `-` before it for descending; kept in the URL by the caller. */
  sort?: string | undefined;
  onSort?: (sort: string) => void;
  isSelected?: (row: Row) => boolean;
  onRowClick?: (row: Row) => void;
  rowProps?: (row: Row) => Record<`data-${string}`, string>;
  caption: string;
  empty?: ReactNode;
  /** For narrow places; stays a table on a phone. */
  dense?: boolean;
  /** Of many rows so many, until somebody asks for all: the first paint waits for each of them. */
  atFirst?: number;
}

/** A dense table that becomes a list at phone width. Rows keep their order while the pointer is over them. */
export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, rows, rowKey, sort, onSort, caption, empty, dense = false, atFirst = Infinity } = props;
  const t = useTranslations("ui");
  const [all, setAll] = useState(false);
  const [held, setHeld] = useState(false);
  const order = useRef<string[]>([]);
  const sorted = sortRows(rows, columns, sort);
  const shown = held ? keepOrder(sorted, rowKey, order.current) : sorted;
  order.current = shown.map(rowKey);
  if (rows.length === 0 && empty) return empty;
  return (
    <div className={columns.some(({ needs }) => needs) ? `${styles.scroll} ${styles.measured}` : styles.scroll}>
      <table className={dense ? `${styles.table} ${styles.dense}` : styles.table}>
        <caption className="visually-hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <HeaderCell
                key={column.key}
                column={column}
                sort={sort}
                onPress={
                  onSort &&
                  (() => {
                    setHeld(false);
                    onSort(nextSort(column, rows, sort));
                  })
                }
              />
            ))}
          </tr>
        </thead>
        <tbody onPointerEnter={() => setHeld(true)} onPointerLeave={() => setHeld(false)}>
          {(all ? shown : shown.slice(0, atFirst)).map((row) => (
            <BodyRow key={rowKey(row)} row={row} {...props} />
          ))}
        </tbody>
      </table>
      {!all && shown.length > atFirst && (
        <p className={styles.more}>
          <PillButton onClick={() => setAll(true)} data-testid="show-all">
            {t("show-all", { count: shown.length })}
          </PillButton>
        </p>
      )}
    </div>
  );
}

function BodyRow<Row>({ row, columns, isSelected, onRowClick, rowProps }: DataTableProps<Row> & { row: Row }) {
  return (
    <tr
      className={onRowClick ? styles.clickable : undefined}
      data-selected={isSelected?.(row) || undefined}
      onClick={onRowClick && ((event) => fromControl(event.target) || onRowClick(row))}
      {...rowProps?.(row)}
    >
      {columns.map((column) => (
        <td
          key={column.key}
          className={column.align === "right" ? styles.right : undefined}
          data-phone={column.phone ?? "fact"}
          data-needs={column.needs}
          data-label={typeof column.header === "string" ? column.header : undefined}
        >
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}

function HeaderCell<Row>({
  column,
  sort,
  onPress,
}: {
  column: Column<Row>;
  sort: string | undefined;
  onPress?: (() => void) | undefined;
}) {
  const t = useTranslations("ui");
  const direction = sort === column.key ? "ascending" : sort === `-${column.key}` ? "descending" : undefined;
  const className = column.align === "right" ? styles.right : undefined;
  if (!column.sortValue || !onPress) {
    return (
      <th scope="col" className={className} style={{ width: column.width }} data-needs={column.needs}>
        {column.header || <span className="visually-hidden">{t("actions")}</span>}
      </th>
    );
  }
  return (
    <th
      scope="col"
      className={className}
      style={{ width: column.width }}
      aria-sort={direction ?? "none"}
      data-needs={column.needs}
    >
      <button type="button" className={styles.sort} onClick={onPress}>
        {column.header}
        <span aria-hidden>{direction === "ascending" ? "↑" : direction === "descending" ? "↓" : ""}</span>
      </button>
    </th>
  );
}

const fromControl = (target: EventTarget): boolean =>
  target instanceof Element && target.closest("a, button, input") !== null;

/** The column that `name`, or `-name`, sorts by; undefined when there is no such column, or it can't be sorted. */
export const sortColumn = <Row,>(columns: readonly Column<Row>[], sort: string): Column<Row> | undefined =>
  columns.find(({ key, sortValue }) => sortValue && (sort === key || sort === `-${key}`));

/** What a press on a column's header asks for: the other way round, or at first numbers from the largest and words from a. */
export function nextSort<Row>(column: Column<Row>, rows: readonly Row[], sort: string | undefined): string {
  if (sort === `-${column.key}`) return column.key;
  if (sort === column.key) return `-${column.key}`;
  const [row] = rows;
  return row !== undefined && typeof column.sortValue?.(row) === "string" ? column.key : `-${column.key}`;
}

export function sortRows<Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  sort: string | undefined,
): readonly Row[] {
  const value = sort === undefined ? undefined : sortColumn(columns, sort)?.sortValue;
  if (!value || sort === undefined) return rows;
  const sign = sort.startsWith("-") ? -1 : 1;
  return rows.toSorted((a, b) => {
    const [left, right] = [value(a), value(b)];
    return (
      sign *
      (typeof left === "number" && typeof right === "number" ? left - right : String(left).localeCompare(String(right)))
    );
  });
}

/** The rows in the order they had; new ones last. */
export function keepOrder<Row>(
  rows: readonly Row[],
  rowKey: (row: Row) => string,
  order: readonly string[],
): readonly Row[] {
  const place = new Map(order.map((key, index) => [key, index]));
  return rows.toSorted((a, b) => (place.get(rowKey(a)) ?? Infinity) - (place.get(rowKey(b)) ?? Infinity) || 0);
}
