import { expect, it } from "vitest";
import type { GraphEdge } from "../../server/contract/index.ts";
import { labelsOf, mtlsOf, withFault } from "./graph-text.ts";
import { testEdge } from "./testing/graph.ts";

const all = ["rate", "p95", "errors"] as const;
const labels = (edge: GraphEdge, kinds: readonly ("rate" | "p95" | "errors")[] = all) => labelsOf(edge, kinds, "en");

it("says rate and latency of a healthy call", () => {
  expect(labels(testEdge("a", "b", { requestRate: 42.1, latencyMsP95: 38 }))).toEqual([
    "42.1 rps · 38 ms",
    "42.1 rps\n38 ms",
    "42.1 rps",
  ]);
});

it("says what fails instead of the latency, and keeps that where there is little room", () => {
  const edge = testEdge(
    "a",
    "b",
    { requestRate: 13, errorShare: 0.24, latencyMsP95: 4 },
    { "200": 9.9, "503": 2.9, "500": 0.2 },
  );
  expect(labels(edge)).toEqual(["13.0 rps · 24 % 503", "13.0 rps\n24 % 503", "24 % 503"]);
  expect(labels(edge, ["rate", "p95"])).toEqual(["13.0 rps · 4 ms", "13.0 rps\n4 ms", "13.0 rps"]);
});

it("says only what is asked for, and nothing without traffic", () => {
  expect(labels(testEdge("a", "b", { requestRate: 5, latencyMsP95: 7 }), ["p95"])).toEqual(["7 ms"]);
  expect(labels(testEdge("a", "b", { requestRate: 5 }), [])).toEqual([]);
  expect(labels(testEdge("a", "b", { requestRate: 0 }))).toEqual([]);
});

it("says what goes over TCP connections in bytes", () => {
  const tcp = { ...testEdge("a", "b"), protocol: "tcp" as const, bytesPerSecond: { sent: 400, received: 12_000 } };
  expect(labels(tcp)).toEqual(["12.4 kB/s"]);
  expect(labels(tcp, ["p95"])).toEqual([]);
});

it("says of a call what burns on it before what it does", () => {
  expect(withFault(["42 rps · 38 ms", "42 rps"], "50 % 503 · 4 min")).toEqual([
    "50 % 503 · 4 min · 42 rps · 38 ms",
    "50 % 503 · 4 min\n42 rps · 38 ms",
    "50 % 503 · 4 min",
  ]);
  expect(withFault([], "50 % 503")).toEqual(["50 % 503"]);
  expect(withFault(["42 rps"], "")).toEqual(["42 rps"]);
});

it("calls nothing plain text that nobody received, as with requests that a fault holds back", () => {
  const edge = testEdge("a", "b");
  const { signals } = edge;
  expect(mtlsOf({ mtls: 0, reported: { source: signals, destination: null } })).toBe("untold");
  expect(mtlsOf({ mtls: 0, reported: { source: signals, destination: signals } })).toBe("none");
  expect(mtlsOf({ mtls: 0.5, reported: { source: null, destination: signals } })).toBe("some");
});
