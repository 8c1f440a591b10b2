import { expect, test } from "vitest";
import { InboundAllowance } from "./inbound-allowance.ts";
import { defaultOptions } from "./options.ts";

test("PINGs that follow work are not counted, others so many a second", () => {
  const allowance = new InboundAllowance({ ...defaultOptions, maxPingsPerSecond: 2 });
  for (let answer = 0; answer < 100; answer++) {
    allowance.dataFramesSent++;
    expect(allowance.takePing(5_000)).toBe(true);
  }
  expect([5_000, 5_100, 5_200].map((now) => allowance.takePing(now))).toEqual([true, true, false]);
  expect(allowance.takePing(6_001)).toBe(true);
});
