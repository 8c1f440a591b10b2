import { expect, it } from "vitest";
import { type Column, keepOrder, nextSort, sortColumn, sortRows } from "./data-table.tsx";

interface Row {
  name: string;
  rate: number;
}
const rows: Row[] = [
  { name: "b", rate: 2 },
  { name: "a", rate: 10 },
  { name: "c", rate: 1 },
];
const columns: Column<Row>[] = [
  { key: "name", header: "name", cell: () => null, sortValue: (row) => row.name },
  { key: "rate", header: "rate", cell: () => null, sortValue: (row) => row.rate },
  { key: "plain", header: "plain", cell: () => null },
];
const names = (sorted: readonly Row[]) => sorted.map(({ name }) => name).join("");

it("sorts words and numbers, both ways, without touching its input", () => {
  expect(["name", "-name", "rate", "-rate"].map((sort) => names(sortRows(rows, columns, sort)))).toEqual([
    "abc",
    "cba",
    "cba",
    "abc",
  ]);
  expect(names(rows)).toBe("bac");
});

it("leaves the order alone for a column that cannot be sorted, or none", () => {
  expect([undefined, "plain", "nonsense"].map((sort) => names(sortRows(rows, columns, sort)))).toEqual([
    "bac",
    "bac",
    "bac",
  ]);
});

it("asks at first for the largest numbers and for words from a, then for the other way round", () => {
  const presses = columns.slice(0, 2).map((column) => {
    const first = nextSort(column, rows, "plain");
    const second = nextSort(column, rows, first);
    return [first, second, nextSort(column, rows, second)];
  });
  expect(presses).toEqual([
    ["name", "-name", "name"],
    ["-rate", "rate", "-rate"],
  ]);
});

it("knows which column an order is of; none for one that cannot be sorted", () => {
  expect(["rate", "-rate", "plain", "nonsense", ""].map((sort) => sortColumn(columns, sort)?.key)).toEqual([
    "rate",
    "rate",
    undefined,
    undefined,
    undefined,
  ]);
});

it("keeps the order under the pointer; what is new comes last", () => {
  expect(names(keepOrder([{ name: "d", rate: 0 }, ...rows], ({ name }) => name, ["c", "a", "b"]))).toBe("cabd");
});
