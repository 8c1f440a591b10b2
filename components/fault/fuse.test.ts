import { expect, it } from "vitest";
import { fuseAt, serverNow } from "./fuse.ts";

it("burns down from its whole time to nothing, and not below", () => {
  const fault = { startedAt: 1000, endsAt: 61_000 };
  expect(fuseAt(fault, 1000)).toEqual({ leftMs: 60_000, leftShare: 1 });
  expect(fuseAt(fault, 46_000)).toEqual({ leftMs: 15_000, leftShare: 0.25 });
  expect(fuseAt(fault, 99_000)).toEqual({ leftMs: 0, leftShare: 0 });
});

it("has no end without one", () => expect(fuseAt({ startedAt: 1, endsAt: null }, 5)).toBeNull());

it("stays full before its start, when clocks differ", () =>
  expect(fuseAt({ startedAt: 10_000, endsAt: 20_000 }, 5000)).toEqual({ leftMs: 15_000, leftShare: 1 }));

it("goes by the server's clock", () => {
  expect(serverNow(100_000, 5_000, 5_700)).toBe(100_700);
  expect(serverNow(100_000, 0, 5_700)).toBe(100_000);
});
