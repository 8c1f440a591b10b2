import { expect, it } from "vitest";
import { deadShares, type ShareChange } from "../../server/contract/index.ts";
import { destinationText, isPlain } from "./dead-shares.ts";

const share = (over: Partial<ShareChange> = {}): ShareChange => ({
  virtualService: "default/reviews",
  list: "http",
  rule: 0,
  matches: [],
  hostname: "reviews.default.svc.cluster.local",
  subset: "v2",
  before: 0,
  after: 100,
  endpoints: 0,
  ...over,
});

it("finds what gets requests and has nobody to take them", () => {
  const dead = share();
  const shares = [dead, share({ endpoints: 2 }), share({ before: 50, after: 20 }), share({ before: 100, after: 100 })];
  expect(deadShares({ shares })).toEqual([dead]);
  expect(isPlain({ shares: [share({ endpoints: 1 })], warnings: [] })).toBe(true);
  expect(isPlain({ shares, warnings: [] })).toBe(false);
  const warning = { kind: "VirtualService", namespace: "default", name: "reviews", path: "spec", message: "no" };
  expect(isPlain({ shares: [], warnings: [warning] })).toBe(false);
});

it("names a destination as people do", () => {
  expect(destinationText(share())).toBe("reviews v2");
  expect(destinationText(share({ hostname: "api.vendor.test", subset: null }))).toBe("api.vendor.test");
});
