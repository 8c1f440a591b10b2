import { expect, it } from "vitest";
import { type Column, keepOrder, sortRows } from "./data-table.tsx";

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

it("keeps the order under the pointer; what is new comes last", () => {
  expect(names(keepOrder([{ name: "d", rate: 0 }, ...rows], ({ name }) => name, ["c", "a", "b"]))).toBe("cabd");
});
