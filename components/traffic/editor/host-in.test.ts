import { expect, test } from "vitest";
import { hostIn } from "./host-in.ts";

const reviews = { namespace: "default", name: "reviews" };
const hostname = "reviews.default.svc.cluster.local";

test("a short name stands in objects of the service's own namespace only: elsewhere it would be another service", () => {
  expect(hostIn("default", reviews, hostname)).toBe("reviews");
  expect(hostIn("istio-system", reviews, hostname)).toBe(hostname);
  expect(hostIn("default", { namespace: "default", name: "api.example.com" }, "api.example.com")).toBe(
    "api.example.com",
  );
});
