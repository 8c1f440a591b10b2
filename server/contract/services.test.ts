import { expect, test } from "vitest";
import { findService, ruleLayerOf, serviceLink, serviceTitle } from "./services.ts";

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

test("knows by which rules a service's calls go", () => {
  const ports = (...protocols: string[]) => ({
    ports: protocols.map((protocol, index) => ({ name: "", port: 1000 + index, protocol })),
  });
  expect(ruleLayerOf(ports("TCP", "Mongo"))).toBe("tcp");
  expect(ruleLayerOf(ports("TCP", "HTTP"))).toBe("http");
  expect(ruleLayerOf(ports("HTTPS"))).toBe("http");
  expect(ruleLayerOf(ports())).toBe("http");
});
