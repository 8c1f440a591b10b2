import { expect, test } from "vitest";
import { formatRefusals, parseRefusals, readableReason } from "./nack.ts";

test.each([
  [
    "Envoy's listeners",
    "Error adding/updating listener(s) a: bad address\nb: no filter chains\n",
    ["a", "b", "c"],
    { a: "bad address", b: "no filter chains" },
  ],
  [
    "Envoy's clusters",
    "Error adding/updating cluster(s) outbound|80||a.b: one, outbound|80|v1|a.b: two",
    ["outbound|80||a.b", "outbound|80|v1|a.b"],
    { "outbound|80||a.b": "one", "outbound|80|v1|a.b": "two" },
  ],
  [
    "a name quoted in a reason",
    "Error adding/updating listener(s) a: like b: it fails",
    ["a", "b"],
    { a: "like b: it fails" },
  ],
  ["a bare reason", "no virtual hosts", ["a"], {}],
])("reads %s", (_, message, names, expected) => {
  expect(Object.fromEntries(parseRefusals(message, names))).toEqual(expected);
});

test("what the sidecar writes is what the server reads", () => {
  const errors = new Map([
    ["http_proxy/reviews", "routes[0]: regex\nis not RE2"],
    ["http_proxy/ratings", "domains is empty"],
  ]);
  const read = parseRefusals(formatRefusals("virtual host", errors), errors.keys());
  expect(Object.fromEntries(read)).toEqual({
    "http_proxy/reviews": "routes[0]: regex is not RE2",
    "http_proxy/ratings": "domains is empty",
  });
});

test("a flood of refusals stays short", () => {
  const errors = new Map(Array.from({ length: 5000 }, (_, i) => [`cluster-${i}`, "x".repeat(50)]));
  expect(formatRefusals("cluster", errors).length).toBeLessThan(8200);
});

test("the dump before Envoy's reason is left out", () => {
  const message = 'goo.gle/debugstr    \nname: "bad"\nlb_policy: 99\n: Proto constraint validation failed (LbPolicy)';
  expect(readableReason(message)).toBe("Proto constraint validation failed (LbPolicy)");
  expect(readableReason("bare: reason")).toBe("bare: reason");
  expect(readableReason("x".repeat(5000)).length).toBe(2001);
});
