import { describe, expect, it } from "vitest";
import { mappedEntries, mapSteps, withEntries } from "./lineage.ts";

const numbers: ReadonlyMap<string, number> = new Map([
  ["a", 1],
  ["b", 2],
  ["c", 3],
]);

describe("a map that came of another", () => {
  it("has other values in their old place, and new keys last", () => {
    const next = withEntries(numbers, [
      ["b", 20],
      ["d", 4],
      ["a", undefined],
    ]);
    expect([...next]).toEqual([
      ["b", 20],
      ["c", 3],
      ["d", 4],
    ]);
    expect([...numbers.values()]).toEqual([1, 2, 3]);
    expect(mapSteps.between(numbers, next)).toEqual(new Set(["b", "d", "a"]));
  });

  it("is the map itself where nothing differs", () => {
    expect(withEntries(numbers, [["a", 1]])).toBe(numbers);
    expect(withEntries(numbers, [["e", undefined]])).toBe(numbers);
  });

  it("remembers the last step only, so that no line of maps is kept alive", () => {
    const second = withEntries(numbers, [["a", 10]]);
    const third = withEntries(second, [["a", 100]]);
    expect(mapSteps.cameOf(second)).toBeUndefined();
    expect(mapSteps.cameOf(third)?.from).toBe(second);
  });
});

describe("what is derived of each entry", () => {
  const derive = (map: ReadonlyMap<string, number>) => {
    const asked: string[] = [];
    const derived = mappedEntries(
      map,
      "texts",
      (value, name) => {
        asked.push(name);
        return `${name}=${value}`;
      },
      (name) => `x/${name}`,
    );
    return { asked, derived };
  };

  it("is made of what changed alone", () => {
    const map = withEntries(numbers, [["a", 5]]);
    const before = derive(map).derived;
    const { asked, derived } = derive(withEntries(map, [["b", 7]]));
    expect(asked).toEqual(["b"]);
    expect([...derived]).toEqual([
      ["x/a", "a=5"],
      ["x/b", "b=7"],
      ["x/c", "c=3"],
    ]);
    expect(mapSteps.between(before, derived)).toEqual(new Set(["x/b"]));
  });

  it("is made whole of a map whose predecessor nobody asked for", () => {
    const unseen = withEntries(numbers, [["c", 33]]);
    expect(derive(withEntries(unseen, [["a", 9]])).asked).toEqual(["a", "b", "c"]);
  });

  it("has the order of a map that is made whole where keys come", () => {
    const map = withEntries(numbers, [["a", 6]]);
    derive(map);
    const next = withEntries(map, [
      ["a", undefined],
      ["z", 1],
    ]);
    expect([...derive(next).derived.keys()]).toEqual(["x/b", "x/c", "x/z"]);
  });
});
