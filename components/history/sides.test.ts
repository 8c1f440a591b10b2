import { expect, it } from "vitest";
import { meshSide, parseSide, sideText } from "./sides.ts";

it.each(["now", "r41", "t1764380000000", "file"])("reads %s as it wrote it", (text) => {
  expect(sideText(parseSide(text))).toBe(text);
});

it("takes what is no side for now", () => {
  for (const text of [null, "", "r", "x41", "r-1", "t1e5"]) expect(parseSide(text)).toEqual({ kind: "now" });
});

it("asks with what a side is, and not for a file that is not there", () => {
  expect(meshSide({ kind: "revision", revision: 4 }, null)).toEqual({ revision: 4 });
  expect(meshSide({ kind: "file" }, null)).toBeNull();
  expect(meshSide({ kind: "file" }, "kind: X")).toEqual({ yaml: "kind: X" });
});
