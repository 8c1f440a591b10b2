import { expect, it } from "vitest";
import type { CoveredCall } from "../../server/contract/index.ts";
import { cellState, gridOf, isSeen } from "./coverage-grid.ts";

const call = (caller: string, called: string, calls: number): CoveredCall => ({
  ...{ caller, called, calls, mutual: calls, refused: 0, gateway: false, reach: "all", policies: [] },
});

it("has callers down and called across, the busy ones first; what was seen goes before what could be", () => {
  const grid = gridOf({
    calls: [call("a", "x", 1), call("b", "y", 9), call("b", "x", 3)],
    idle: [
      { caller: "a", called: "x", reach: "some" },
      { caller: "c", called: "y", reach: "some" },
    ],
  });
  expect(grid.callers).toEqual(["b", "a", "c"]);
  expect(grid.called).toEqual(["y", "x"]);
  expect(grid.cell("a", "x")).toMatchObject({ calls: 1 });
  const idle = grid.cell("c", "y");
  expect([isSeen(idle), idle]).toEqual([false, { reach: "some" }]);
  expect(grid.cell("c", "x")).toBeUndefined();
});

it("says of a cell what wants a look most", () => {
  const four = { calls: 4, gateway: false };
  expect(cellState({ ...four, mutual: 4, refused: 0 })).toBe("mutual");
  expect(cellState({ ...four, mutual: 3, refused: 0 })).toBe("plain");
  expect(cellState({ ...four, mutual: 3, refused: 1 })).toBe("refused");
  expect(cellState({ ...four, mutual: 3, refused: 0, gateway: true })).toBe("outside");
});
