import { describe, expect, it } from "vitest";
import type { LogEntry, LogPage } from "../../server/contract/index.ts";
import { type LogRows, mostRows, noRows, reduceRows, shownRows } from "./log-rows.ts";

const entry = (id: number, at = id): LogEntry => ({ id, at }) as LogEntry;
const page = (ids: number[], next: string | null = null): LogPage => ({
  at: 100,
  entries: ids.map((id) => entry(id)),
  next,
});
const ids = (state: LogRows<LogEntry>, shown = page([3, 2], "c")) =>
  shownRows(shown, state).entries.map(({ id }) => id);

describe("rows", () => {
  it("goes on where the page ended, as long as it is the same page", () => {
    const rows = reduceRows(noRows, { type: "older", pageAt: 100, page: page([1], "d") });
    expect(ids(rows)).toEqual([3, 2, 1]);
    expect(shownRows(page([3, 2], "c"), rows).next).toBe("d");
    const fresh = { ...page([9], "e"), at: 200 };
    expect(ids(rows, fresh)).toEqual([9]);
    expect(shownRows(fresh, rows).next).toBe("e");
  });
  it("shows what arrives by its time, each line once", () => {
    const rows = reduceRows(noRows, { type: "arrived", entries: [entry(5), entry(3), entry(4, 1)], held: false });
    expect(ids(rows)).toEqual([5, 3, 2, 4]);
  });
  it("holds back and counts while the list stands still, then shows", () => {
    const held = reduceRows(noRows, { type: "arrived", entries: [entry(5), entry(4)], held: true });
    expect([ids(held), held.heldCount]).toEqual([[3, 2], 2]);
    const released = reduceRows(held, { type: "release" });
    expect([ids(released), released.heldCount]).toEqual([[5, 4, 3, 2], 0]);
  });
  it("counts all that was held, and keeps no more than can be shown", () => {
    const many = Array.from({ length: mostRows }, (_, index) => entry(index + 10)).toReversed();
    let rows = reduceRows(noRows, { type: "arrived", entries: many, held: true });
    rows = reduceRows(rows, { type: "arrived", entries: [entry(5000)], held: true });
    expect([rows.heldCount, rows.held.length, rows.held[0]?.id]).toEqual([mostRows + 1, mostRows, 5000]);
    const shown = shownRows(page([3], "c"), reduceRows(rows, { type: "release" }));
    expect([shown.entries.length, shown.next]).toEqual([mostRows, null]);
  });
});
