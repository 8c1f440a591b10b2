import { expect, it } from "vitest";
import { Recent } from "./recent.ts";

it("keeps what was used lately, and not more than it may", () => {
  const recent = new Recent<number>(2);
  recent.set("a", 1);
  recent.set("b", 2);
  expect(recent.get("a")).toBe(1);
  recent.set("c", 3);
  expect([recent.get("a"), recent.get("b"), recent.get("c")]).toEqual([1, undefined, 3]);
  expect([recent.getOr("a", () => 9), recent.getOr("d", () => 4), recent.get("c")]).toEqual([1, 4, undefined]);
  recent.set("d", 5);
  expect([recent.get("a"), recent.get("d")]).toEqual([1, 5]);
});
