import { expect, it } from "vitest";
import { logsOfHref } from "../lib/links.ts";
import { fromLocalTime, logQuery, toLocalTime } from "./log-query.ts";

it("takes what chooses lines from an address, in one order, and leaves the rest", () => {
  const address = new URLSearchParams("open=7&window=60&live=1&path=/a?b%26c&service=&code=5xx");
  expect(logQuery((name) => address.get(name))).toBe("path=%2Fa%3Fb%26c&code=5xx&window=60");
});

it("makes addresses that it reads again", () => {
  const href = logsOfHref({ service: "reviews.default.svc.cluster.local", source: "default/a/v1", flag: undefined });
  const address = new URL(href, "http://localhost").searchParams;
  expect(logQuery((name) => address.get(name))).toBe(
    "service=reviews.default.svc.cluster.local&source=default%2Fa%2Fv1",
  );
  expect(logsOfHref({})).toBe("/logs");
});

it("reads and writes a field's time in the reader's zone", () => {
  const at = new Date(2026, 0, 2, 3, 4, 5).getTime();
  expect(toLocalTime(String(at))).toBe("2026-01-02T03:04:05");
  expect(fromLocalTime("2026-01-02T03:04:05")).toBe(String(at));
  expect([toLocalTime(null), toLocalTime("x"), fromLocalTime("")]).toEqual(["", "", null]);
});
