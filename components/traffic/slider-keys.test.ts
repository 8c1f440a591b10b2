import { expect, it } from "vitest";
import { keyTarget } from "./slider-keys.ts";

const press = (key: string, shiftKey = false) => keyTarget({ key, shiftKey }, 50, 10, 90);

it("moves by one, by ten with shift or a page, and to the ends", () => {
  expect(["ArrowRight", "ArrowUp", "ArrowLeft", "ArrowDown"].map((key) => press(key))).toEqual([51, 51, 49, 49]);
  expect([press("ArrowRight", true), press("ArrowLeft", true)]).toEqual([60, 40]);
  expect(["PageUp", "PageDown", "Home", "End"].map((key) => press(key))).toEqual([60, 40, 10, 90]);
});

it("leaves every other key alone", () =>
  expect([press("Tab"), press("a"), press("Enter")]).toEqual([null, null, null]));
