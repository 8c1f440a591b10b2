import { expect, it } from "vitest";
import { parseClusterName, parseServiceHost } from "./cluster-name.ts";

it.each([
  ["outbound|9080|v2|reviews.default.svc.cluster.local", ["outbound", 9080, "v2", "reviews.default.svc.cluster.local"]],
  ["outbound|443||api.example.com", ["outbound", 443, "", "api.example.com"]],
  ["inbound|9080||", ["inbound", 9080, "", ""]],
])("reads %s", (name, [direction, port, subset, host]) => {
  expect(parseClusterName(name)).toEqual({ direction, port, subset, host });
});

it.each(["", "BlackHoleCluster", "outbound|9080|v2", "a|b|c|d", "outbound|1|2|3|4"])("knows %j as none", (name) => {
  expect(parseClusterName(name)).toBeUndefined();
});

it("tells mesh hosts from others", () => {
  expect(parseServiceHost("reviews.default.svc.cluster.local")).toEqual({ name: "reviews", namespace: "default" });
  for (const host of ["api.example.com", "reviews", "reviews.default", ""])
    expect(parseServiceHost(host)).toBeUndefined();
});
