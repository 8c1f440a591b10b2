import { expect, test } from "vitest";
import { findService, serviceLink, serviceTitle } from "./services.ts";

const named = (name: string, hostname: string, namespace = "default") => ({ namespace, name, hostname });
const alpha = named("partners", "alpha.partner.test");
const beta = named("partners", "beta.partner.test");
const entry = named("reviews", "reviews.vendor.test");
const reviews = named("reviews", "reviews.default.svc.cluster.local");
const services = [alpha, beta, entry, reviews];

test("is found by hostname, in its namespace; by name as before, a Service first", () => {
  expect(findService(services, "default", "beta.partner.test")).toBe(beta);
  expect(findService(services, "other", "beta.partner.test")).toBeUndefined();
  expect(findService(services, "default", "reviews")).toBe(reviews);
  expect(findService(services, "default", "reviews.vendor.test")).toBe(entry);
  expect(findService(services, "default", "partners")).toBe(alpha);
});

test("is called by its name, or by its host where the name may be shared", () => {
  expect(services.map(serviceTitle)).toEqual([
    "alpha.partner.test",
    "beta.partner.test",
    "reviews.vendor.test",
    "reviews",
  ]);
  expect(serviceLink(reviews)).toEqual({ namespace: "default", hostname: reviews.hostname, name: "reviews" });
});
