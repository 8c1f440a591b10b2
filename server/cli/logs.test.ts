import { describe, expect, it } from "vitest";
import type { LogEntry } from "../contract/index.ts";
import { formatLine } from "./log-line.ts";
import { logAddress } from "./log-options.ts";
import { eventData } from "./server-events.ts";

const options = { since: "15m", limit: "50", output: "text" };
const peer = (app: string, version: string) => ({ workload: "", namespace: "default", app, version, service: null });
const entry: LogEntry = {
  id: 1,
  at: new Date(2026, 0, 2, 3, 4, 5, 67).getTime(),
  direction: "outbound",
  proxy: "p",
  source: peer("productpage", "v1"),
  destination: peer("reviews", "v2"),
  service: "reviews.default.svc.cluster.local",
  serviceLink: null,
  protocol: "http",
  mtls: false,
  code: 200,
  grpcStatus: null,
  flags: [],
  durationMs: 4.25,
  requestBytes: 0,
  responseBytes: 10,
  method: "GET",
  path: "/reviews/0",
  authority: "reviews:9080",
  requestId: "",
  traceId: "",
  upstreamCluster: "",
  upstreamHost: "",
  details: "via_upstream",
  config: null,
};

describe("logAddress", () => {
  it("asks for what the flags say, durations in the API's units", () => {
    expect(logAddress("/api/logs", options)).toBe("/api/logs?window=900&limit=50");
    expect(logAddress("/api/logs", { ...options, since: "1h", min: "1.5s", path: "/a b", errors: true })).toBe(
      "/api/logs?window=3600&path=%2Fa+b&min=1500&errors=true&limit=50",
    );
  });
  it("names a flag that holds no duration", () => {
    expect(() => logAddress("/", { ...options, since: "soon" })).toThrow("--since soon: must be a duration");
    expect(() => logAddress("/", { ...options, max: "-1s" })).toThrow("--max -1s");
  });
});

describe("formatLine", () => {
  it("says who called whom, what and how it went", () => {
    expect(formatLine(entry)).toBe("03:04:05.067  200     4.3 ms  productpage/v1 → reviews/v2  GET /reviews/0");
  });
  it("says why the proxy answered itself, and what was called where nobody was reached", () => {
    const failed = {
      ...entry,
      code: 503,
      grpcStatus: 14,
      destination: peer("", ""),
      flags: ["UH"],
      details: "no_healthy_upstream",
    };
    expect(formatLine(failed)).toBe(
      "03:04:05.067  503/14    4.3 ms  productpage/v1 → reviews.default.svc.cluster.local  GET /reviews/0  UH  no_healthy_upstream",
    );
  });
  it("lets no caller write to the terminal", () => {
    expect(formatLine({ ...entry, path: "/\u001b[2J" })).not.toContain("\u001b");
  });
});

it("reads events however they are cut", async () => {
  const bytes = new TextEncoder().encode(':\n\ndata: {"a":"ü"}\n\n:\n\nevent: failed\ndata: 2\n\ndata: lost');
  async function* cut() {
    for (const byte of bytes) yield Uint8Array.of(byte);
  }
  const seen = [];
  for await (const event of eventData(cut())) seen.push(event);
  expect(seen).toEqual([
    { event: "message", data: '{"a":"ü"}' },
    { event: "failed", data: "2" },
  ]);
});
