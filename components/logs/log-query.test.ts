import { expect, it } from "vitest";
import { logsOfHref, requestLogsHref, traceLogsHref } from "../lib/links.ts";
import { logQuery } from "./log-query.ts";

it("takes what chooses lines from an address, in one order, and leaves the rest", () => {
  const address = new URLSearchParams("open=7&window=60&live=1&path=/a?b%26c&service=&code=5xx");
  expect(logQuery((name) => address.get(name))).toBe("path=%2Fa%3Fb%26c&code=5xx&window=60");
});

it("makes addresses that it reads again", () => {
  const href = logsOfHref({ service: "reviews.default.svc.cluster.local", source: "default/a/v1", flag: undefined });
  const address = new URL(href, "http://localhost").searchParams;
  expect(logQuery((name) => address.get(name))).toBe(
    "service=reviews.default.svc.cluster.local&source=default%2Fa%2Fv1&window=900",
  );
  expect(logsOfHref({})).toBe("/logs");
});

it("finds one trace's and one request's lines however long ago they were", () => {
  for (const href of [traceLogsHref("a"), requestLogsHref("a")])
    expect(new URL(href, "http://localhost").searchParams.get("window")).toBe("2592000");
});

it.each([
  ["from=1700000000000&to=1700003600000&window=60", "from=1700000000000&to=1700003600000"],
  ["window=60&at=1700000060000", "from=1700000000000&to=1700000060000"],
  ["window=nonsense", "window=900"],
  ["from=1700000000000", "window=900"],
])("asks of %s what the picker shows: %s", (address, expected) => {
  const params = new URLSearchParams(address);
  expect(logQuery((name) => params.get(name))).toBe(expected);
});
