import { expect, it } from "vitest";
import { handlePlaces } from "./handle-places.ts";

it("stands at the divider where there is room", () => expect(handlePlaces([70, 90], 500, 16)).toEqual([350, 450]));

it("keeps handles of empty parts apart, inside the bar", () => {
  expect(handlePlaces([100, 100], 500, 16)).toEqual([476, 492]);
  expect(handlePlaces([0, 0, 0], 500, 16)).toEqual([8, 24, 40]);
  expect(handlePlaces([50, 50], 500, 16)).toEqual([250, 266]);
});
