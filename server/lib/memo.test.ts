import { describe, expect, it, vi } from "vitest";
import { keepMap, memo } from "./memo.ts";

describe("memo", () => {
  it("makes anew for another owner, key or dep only", () => {
    const make = vi.fn(() => ({}));
    const [owner, dep] = [{}, {}];
    const first = memo(owner, "a", [dep, 1], make);
    expect(memo(owner, "a", [dep, 1], make)).toBe(first);
    expect(make).toHaveBeenCalledTimes(1);
    memo(owner, "b", [dep, 1], make);
    memo({}, "a", [dep, 1], make);
    memo(owner, "a", [dep, 1, undefined], make);
    memo(owner, "a", [{}, 1], make);
    expect(make).toHaveBeenCalledTimes(5);
  });

  it("forgets keys rather than growing without end", () => {
    const owner = {};
    const make = vi.fn(() => 0);
    for (let key = 0; key <= 4096; key++) memo(owner, `${key}`, [], make);
    make.mockClear();
    memo(owner, "0", [], make);
    expect(make).toHaveBeenCalledTimes(1);
  });
});

describe("keepMap", () => {
  const value = {};
  const previous = new Map([
    ["a", value],
    ["b", value],
  ]);
  it("keeps the previous map when keys, values and order are the same", () => {
    expect(keepMap(previous, new Map(previous))).toBe(previous);
  });
  it.each([
    ["another value", new Map([...previous, ["b", {}]])],
    [
      "another key",
      new Map([
        ["a", value],
        ["c", value],
      ]),
    ],
    ["another order", new Map([...previous].reverse())],
    ["one more", new Map([...previous, ["c", value]])],
    ["one less", new Map([...previous].slice(1))],
  ])("takes the next map for %s", (_, next) => {
    expect(keepMap(previous, next)).toBe(next);
  });
});
