import { expect, test } from "vitest";
import { grpcDeadline, grpcRouteTimeout, grpcTimeoutOf, setGrpcTimeout } from "./grpc-timeout.ts";

test.each([
  ["1H", 3_600_000],
  ["2M", 120_000],
  ["3S", 3000],
  ["4m", 4],
  ["1500u", 2],
  ["1n", 1],
  ["0m", 0],
  ["99999999H", 359_999_996_400_000],
  ["100000000m", undefined],
  ["5x", undefined],
  ["S", undefined],
  ["", undefined],
  ["-1S", undefined],
])("%j is %s ms", (text, ms) => {
  expect(grpcTimeoutOf(["grpc-timeout", text])).toBe(ms);
});

test.each([
  [0, "0m"],
  [1500.7, "1500m"],
  [99_999_999, "99999999m"],
  [100_000_000, "100000S"],
  [100_000_000_000, "1666666M"],
  [1e18, "99999999H"],
])("%s ms is told as %s", (ms, text) => {
  const headers: string[] = [];
  setGrpcTimeout(headers, ms);
  expect(headers).toEqual(["grpc-timeout", text]);
});

test("a route timeout: the client's up to the maximum, of which 0 is none", () => {
  const asked = (text: string, maxMs: number, offsetMs = 0) =>
    grpcRouteTimeout(["grpc-timeout", text], { maxMs, offsetMs });
  expect([asked("1S", 5000), asked("9S", 5000), asked("bad", 5000), asked("0m", 5000)]).toEqual([
    1000, 5000, 5000, 5000,
  ]);
  expect([asked("9S", 0), asked("bad", 0)]).toEqual([9000, 0]);
  // An offset that leaves nothing would leave no limit.
  expect([asked("1S", 0, 400), asked("300m", 0, 400)]).toEqual([600, 300]);
});

test("a deadline: none without the client's", () => {
  const asked = (text: string, maxMs: number, offsetMs = 0) =>
    grpcDeadline(["grpc-timeout", text], { maxMs, offsetMs });
  expect([asked("1S", 5000), asked("9S", 5000), asked("9S", 0), asked("bad", 5000)]).toEqual([
    1000,
    5000,
    9000,
    undefined,
  ]);
  expect([asked("1S", 0, 400), asked("300m", 0, 400), asked("0m", 5000)]).toEqual([600, 0, 0]);
});
