import { describe, expect, it } from "vitest";
import type { TraceSpan } from "../../server/contract/index.ts";
import { stepFor, visibleRows } from "./waterfall-rows.ts";

const row = (id: string, depth: number, descendants = 0) => ({ id, depth, descendants }) as TraceSpan;
/** a(b(c) d) e */
const tree = [row("a", 0, 3), row("b", 1, 1), row("c", 2), row("d", 1), row("e", 0)];
const ids = (...folded: string[]) =>
  visibleRows(tree, new Set(folded))
    .map(({ id }) => id)
    .join("");

it("hides what is below a folded row", () => {
  expect([ids(), ids("b"), ids("a"), ids("a", "b"), ids("c")]).toEqual(["abcde", "abde", "ae", "ae", "abcde"]);
});

describe("keys", () => {
  it.each<[string, string, string[], unknown]>([
    ["ArrowDown", "a", [], { to: "b" }],
    ["ArrowDown", "a", ["a"], { to: "e" }],
    ["ArrowDown", "e", [], null],
    ["ArrowUp", "a", [], null],
    ["ArrowUp", "d", [], { to: "c" }],
    ["Home", "d", [], { to: "a" }],
    ["End", "a", [], { to: "e" }],
    ["ArrowRight", "b", [], { to: "c" }],
    ["ArrowRight", "b", ["b"], { unfold: "b" }],
    ["ArrowRight", "c", [], null],
    ["ArrowLeft", "b", [], { fold: "b" }],
    ["ArrowLeft", "b", ["b"], { to: "a" }],
    ["ArrowLeft", "d", [], { to: "a" }],
    ["ArrowLeft", "e", [], null],
    ["x", "a", [], null],
  ])("%s on %s with %j folded", (key, at, folded, expected) => {
    const rows = visibleRows(tree, new Set(folded));
    expect(
      stepFor(
        key,
        rows,
        rows.findIndex(({ id }) => id === at),
        new Set(folded),
      ),
    ).toEqual(expected);
  });
});
