import { expect, it } from "vitest";
import { coveredSec, firstStep, isYoung } from "./covered.ts";

const window = { at: 300_000, fromMs: 0, stepSec: 5 };

it("is the whole window of an old mesh", () => {
  const old = { ...window, dataFromMs: 0 };
  expect([coveredSec(old), firstStep(old), isYoung(old)]).toEqual([300, 0, false]);
});

it("is what was lived of the window by a young one", () => {
  const young = { ...window, dataFromMs: 213_000 };
  expect([coveredSec(young), firstStep(young), isYoung(young)]).toEqual([87, 42, true]);
});
