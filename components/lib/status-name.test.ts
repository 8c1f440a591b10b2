import { STATUS_CODES } from "node:http";
import { expect, it } from "vitest";
import { statusName } from "./status-name.ts";

it("calls a status as Node does, or by its number alone", () => {
  const known = Object.entries(STATUS_CODES).filter(([code]) => statusName(Number(code)) !== code);
  expect(known.length).toBeGreaterThan(40);
  for (const [code, phrase] of known) expect(statusName(Number(code))).toBe(`${code} ${phrase}`);
  expect(statusName(599)).toBe("599");
});
