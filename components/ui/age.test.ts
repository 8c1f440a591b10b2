import { expect, it } from "vitest";
import { formatAge } from "./age.ts";

it("takes the unit that fits", () => {
  const ages = [-5, 9_400, 60_000, 3_599_000, 3_600_000, 4_320_000, 86_400_000 * 3].map((ms) => formatAge(ms, "en"));
  expect(ages).toEqual(["0 s", "9 s", "1 min", "59 min", "1 h", "1 h 12 min", "3 d"]);
});
