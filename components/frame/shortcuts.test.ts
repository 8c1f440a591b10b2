import { expect, it } from "vitest";
import { pages } from "./pages.ts";
import { nextKey } from "./shortcuts.ts";

it("goes to every page by g and its letter", () => {
  for (const { key, href, letter } of pages) {
    expect(nextKey(false, "g")).toEqual({ action: null, waiting: true });
    expect(nextKey(true, letter)).toEqual({ action: { kind: "page", key, href }, waiting: false });
  }
});

it("forgets g after a letter that is nobody's", () => {
  expect(nextKey(true, "q")).toEqual({ action: null, waiting: false });
  expect(nextKey(false, "t")).toEqual({ action: null, waiting: false });
});

it("opens the map and the finder", () => {
  expect(nextKey(false, "?").action).toEqual({ kind: "map" });
  expect(nextKey(false, "/").action).toEqual({ kind: "find" });
});
