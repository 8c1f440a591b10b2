import { expect, it } from "vitest";
import { deleteView, readViews, saveView, viewQuery } from "./saved-views.ts";

function storage() {
  const kept = new Map<string, string>();
  return {
    getItem: (key: string) => kept.get(key) ?? null,
    setItem: (key: string, value: string) => void kept.set(key, value),
  };
}

it("keeps views by name, the newest first", () => {
  const kept = storage();
  saveView(kept, { name: "mine", query: "by=app", places: {} });
  saveView(kept, { name: "edge", query: "ns=istio-system", places: { a: { x: 1, y: 2 } } });
  saveView(kept, { name: "mine", query: "by=service", places: {} });
  expect(readViews(kept).map(({ name, query }) => [name, query])).toEqual([
    ["mine", "by=service"],
    ["edge", "ns=istio-system"],
  ]);
  deleteView(kept, "mine");
  expect(readViews(kept).map(({ name }) => name)).toEqual(["edge"]);
});

it("has none where there is nothing, or something else", () => {
  expect(readViews(storage())).toEqual([]);
  expect(readViews({ getItem: () => "{" })).toEqual([]);
  expect(readViews({ getItem: () => '[1, {"name": "x"}]' })).toEqual([]);
  expect(
    saveView(
      {
        getItem: () => null,
        setItem: () => {
          throw new Error("full");
        },
      },
      { name: "a", query: "", places: {} },
    ),
  ).toBe(false);
});

it("is of no moment and of nothing selected", () => {
  expect(viewQuery("?window=300&at=7&select=a&by=app&trace=x")).toBe("by=app&window=300");
});
