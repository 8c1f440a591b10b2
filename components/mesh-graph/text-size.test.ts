import { expect, it } from "vitest";
import { nameLines, sansWidth } from "./text-size.ts";

it("leaves a name whole where it fits, breaks it where its words end, and shortens it in the middle at last", () => {
  expect(nameLines("istio-ingressgateway", 200, 12)).toEqual(["istio-ingressgateway"]);
  expect(nameLines("istio-ingressgateway", 100, 12)).toEqual(["istio-", "ingressgateway"]);
  const [line = "", ...more] = nameLines("averyveryverylongname", 80, 12);
  expect(more).toEqual([]);
  expect(line).toMatch(/^avery.*….*name$/);
  expect(sansWidth(line, 12)).toBeLessThanOrEqual(80);
});

it("counts Chinese characters as wide", () => expect(sansWidth("流量来源", 10)).toBe(40));
