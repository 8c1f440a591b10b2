import { expect, it } from "vitest";
import { generalisePaths } from "./generalise.ts";

it.each([
  ["/reviews/0", "/reviews/{*}"],
  ["/a/123/b", "/a/{*}/b"],
  ["/o/7c9e6679-7425-40de-944b-e07fc1f90ae7", "/o/{*}"],
  ["/blob/deadbeef01", "/blob/{*}"],
  ["/health", "/health"],
  ["/api/v1/products", "/api/v1/products"],
  ["/facade/decade", "/facade/decade"],
  ["/", "/"],
  ["/x/12/", "/x/{*}/"],
  ["//12", "//12"],
])("%s stands in a policy as %s", (path, template) => {
  expect(generalisePaths([path]).paths).toEqual([template]);
});

it("widens the segment that differs most until the list is short enough", () => {
  const seen = ["red", "green", "blue"].flatMap((colour) => [`/shop/${colour}/buy`, `/shop/${colour}/see`]);
  expect(generalisePaths(seen, { most: 2 }).paths).toEqual(["/shop/{*}/buy", "/shop/{*}/see"]);
});

it("makes ends any only when told", () => {
  const seen = ["/a", "/a/b", "/a/b/c", "/a/b/c/d"];
  expect(generalisePaths(seen, { most: 2 }).paths).toHaveLength(4);
  expect(generalisePaths(seen, { most: 2, tails: true }).paths).toEqual(["/a", "/a/{**}"]);
});
