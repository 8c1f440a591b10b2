import { expect, it } from "vitest";
import { generalisePaths } from "./generalise.ts";

it.each([
  [["/reviews/0", "/reviews/1", "/reviews/2"], ["/reviews/{*}"]],
  [["/a/123/b", "/a/124/b", "/a/125/b"], ["/a/{*}/b"]],
  [["/o/7c9e6679-7425-40de-944b-e07fc1f90ae7", "/o/7c9e6679-7425-40de-944b-e07fc1f90ae8", "/o/9"], ["/o/{*}"]],
  [["/blob/deadbeef01", "/blob/deadbeef02", "/blob/deadbeef03"], ["/blob/{*}"]],
  [["/x/12/", "/x/13/", "/x/14/"], ["/x/{*}/"]],
])("%j stand in a policy as %j", (seen, paths) => expect(generalisePaths(seen).paths).toEqual(paths));

it.each([
  ["one value, which may be the only one", ["/reports/2024"]],
  ["two values, which may be all there are", ["/reports/2024", "/reports/2025"]],
  ["what is no identifier, however much there is of it", Array.from({ length: 40 }, (_, i) => `/shop/${name(i)}/buy`)],
  ["identifiers at places that differ otherwise, too", ["/a/1/x", "/b/2/x", "/c/3/x"]],
  ["words of hexadecimal letters", ["/facade/decade", "/facade/bedded", "/facade/defaced"]],
  ["what Envoy's templates can't say", ["//12", "//13", "//14"]],
  ["the root", ["/"]],
])("does not widen %s", (_, seen) => expect(generalisePaths(seen).paths).toEqual(seen.toSorted()));

it("widens that identifier alone of which there are many values", () => {
  expect(generalisePaths(["/users/7/orders/1", "/users/7/orders/2", "/users/7/orders/3"]).paths).toEqual([
    "/users/7/orders/{*}",
  ]);
});

it("makes ends any only when told, and the deepest first", () => {
  const seen = ["/a", "/a/b", "/a/b/c", "/a/b/c/d"];
  expect(generalisePaths(seen, { most: 2 }).paths).toHaveLength(4);
  expect(generalisePaths(seen, { most: 2, tails: true }).paths).toEqual(["/a", "/a/{**}"]);
  expect(generalisePaths(seen, { most: 3, tails: true }).paths).toEqual(["/a", "/a/b", "/a/b/{**}"]);
  const shop = ["/shop/books/one", "/shop/books/two", "/shop/cart", "/health"];
  expect(generalisePaths(shop, { most: 3, tails: true }).paths).toEqual(["/health", "/shop/books/{**}", "/shop/cart"]);
});

/** Words without digits. */
function name(i: number): string {
  return `${"abcdefgh"[i % 8]}${"ijklm"[Math.floor(i / 8)]}-shirt`;
}
