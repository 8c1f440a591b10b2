import { expect, it } from "vitest";
import type { Change } from "../../server/contract/index.ts";
import { laterChange } from "./later-change.ts";

const change = (revision: number, ...names: string[]): Change => ({
  revision,
  at: revision,
  author: "ana",
  summary: "",
  words: [],
  kind: "config",
  objects: names.map((name) => ({ type: "MODIFIED", kind: "VirtualService", namespace: "default", name })),
});

it("finds the newest later change of one of the same objects", () => {
  const changes = [change(9, "ratings"), change(8, "reviews"), change(7, "reviews", "ratings"), change(6, "reviews")];
  const [newest, , middle, oldest] = changes as [Change, Change, Change, Change];
  expect(laterChange(oldest, changes)?.revision).toBe(8);
  expect(laterChange(middle, changes)?.revision).toBe(9);
  expect(laterChange(newest, changes)).toBeUndefined();
  expect(laterChange(change(6, "details"), changes)).toBeUndefined();
});
