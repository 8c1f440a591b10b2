import { expect, it } from "vitest";
import { findMetrics } from "./find-metrics.ts";

const metric = (name: string, description = "", services: string[] = []) => ({ name, description, services });
const all = [
  metric("http.server.duration", "how long requests take", ["shop"]),
  metric("envoy_http_downstream_rq_active"),
  metric("process.cpu.time"),
];

it.each([
  ["", 3, "http.server.duration"],
  ["http", 2, "http.server.duration"],
  ["rq http", 1, "envoy_http_downstream_rq_active"],
  ["requests shop", 1, "http.server.duration"],
  ["nothing", 0, undefined],
])("%j finds %i, %s first", (text, count, first) => {
  const found = findMetrics(all, text);
  expect(found).toHaveLength(count);
  expect(found[0]?.name).toBe(first);
});
