import { expect, it } from "vitest";
import { tickText } from "./chart-axis.ts";

it.each([
  ["share", 0.002, 0.002, "0.2 %"],
  ["share", 0.01, 0.005, "1 %"],
  ["share", 0.5, 0.1, "50 %"],
  ["share", 0.0005, 0.0005, "0.05 %"],
  ["rps", 20, 5, "20 rps"],
  ["rps", 0.5, 0.5, "0.5 rps"],
  ["ms", 250, 50, "250 ms"],
  ["ms", 1500, 500, "1.5 s"],
  ["ms", 2000, 1000, "2 s"],
  ["ms", 0, 1000, "0"],
] as const)("a tick of %s at %d every %d is %s", (kind, value, step, text) => {
  expect(tickText(kind, value, step, "en")).toBe(text);
});
