import { expect, it } from "vitest";
import { delayText } from "./fault-text.tsx";

it("writes a delay in the unit that people asked for it in", () => {
  expect([800, 1000, 1500, 12_000].map((ms) => delayText(ms, "en"))).toEqual(["800 ms", "1 s", "1.5 s", "12 s"]);
});
