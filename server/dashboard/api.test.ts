import { describe, expect, it } from "vitest";
import { machineCaller } from "../access/caller.ts";
import { createApi } from "./api.ts";
import type { Dashboard } from "./dashboard.ts";

/** Answers every question with its name and what it was asked with. */
const echo = new Proxy({} as Dashboard, {
  get:
    (_target, name) =>
    async (...args: unknown[]) => [name, ...args],
});

async function call(
  method: string,
  path: string,
  query: Record<string, string> = {},
  body?: unknown,
): Promise<unknown> {
  const match = createApi(echo).match(method, path);
  if (match.target === undefined) return match;
  const caller = machineCaller("admin");
  return match.target.handler({
    params: match.params,
    query,
    body,
    caller,
    address: "127.0.0.1",
    cookies: {},
    place: { port: 3000, secure: false },
    about: {},
  });
}

const by = { user: "admin", onBehalf: { grants: machineCaller().grants, way: "machine", address: "127.0.0.1" } };

describe("routes", () => {
  it.each<[string, string, Record<string, string>, unknown, unknown]>([
    ["GET", "/api/status", {}, undefined, ["status"]],
    ["GET", "/api/graph", {}, undefined, ["graph", { windowSec: 60 }]],
    ["GET", "/api/graph", { window: "300", at: "7" }, undefined, ["graph", { windowSec: 300, at: 7 }]],
    ["GET", "/api/logs", { service: "reviews", code: "5xx" }, undefined, ["logs", { service: "reviews", code: "5xx" }]],
    ["GET", "/api/logs/live", { flag: "UF" }, undefined, ["liveLogs", { flag: "UF" }]],
    [
      "GET",
      "/api/application-logs/live",
      { severity: "error" },
      undefined,
      ["liveApplicationLogs", { severity: "error", window: 900, limit: 100 }],
    ],
    ["GET", "/api/services", {}, undefined, ["services", { windowSec: 60 }]],
    [
      "GET",
      "/api/services/default/reviews/metrics",
      { window: "5" },
      undefined,
      ["serviceMetrics", { namespace: "default", name: "reviews", windowSec: 5 }],
    ],
    [
      "PUT",
      "/api/services/default/reviews/routing/weights",
      { dryRun: "true" },
      { rule: 0, weights: { v1: 100 }, resourceVersion: null },
      [
        "setWeights",
        { namespace: "default", name: "reviews" },
        { rule: 0, weights: { v1: 100 }, resourceVersion: null },
        { dryRun: true, envoy: false, ...by },
      ],
    ],
    ["DELETE", "/api/faults/default/ratings/a1", {}, {}, ["stopFault", "default/ratings/a1", { ...by }]],
    ["GET", "/api/canaries", {}, undefined, ["canaries"]],
    ["GET", "/api/gateways", {}, undefined, ["gateways"]],
    ["GET", "/api/proxies/a~b/tables", {}, undefined, ["proxyTables", "a~b"]],
    ["PUT", "/api/proxies/a~b/log-level", {}, { level: null }, ["setLogLevel", "a~b", null]],
    [
      "GET",
      "/api/changes",
      { object: "reviews", author: "", until: "9", limit: "5" },
      undefined,
      ["changes", { sinceMs: 0, untilMs: 9, object: "reviews", limit: 5 }],
    ],
    [
      "POST",
      "/api/mesh/compare",
      {},
      { from: { revision: 4 }, to: { now: true } },
      ["compareMeshes", { from: { revision: 4 }, to: { now: true } }],
    ],
    [
      "POST",
      "/api/canaries/default/reviews/abort",
      {},
      {},
      ["actOnCanary", { namespace: "default", name: "reviews" }, "abort", { dryRun: false, envoy: false, ...by }],
    ],
    ["GET", "/api/pushes/latest", {}, undefined, ["push", "latest"]],
    ["GET", "/api/pushes/12", {}, undefined, ["push", 12]],
    ["GET", "/api/pushes", {}, undefined, ["pushHistory"]],
    ["GET", "/api/loads", {}, undefined, ["loads"]],
    ["GET", "/api/rate-limits", {}, undefined, ["rateLimits"]],
    ["GET", "/api/changes", {}, undefined, ["changes", { sinceMs: 0, limit: 50 }]],
    ["POST", "/api/undo", {}, { revision: 3 }, ["undo", 3, { dryRun: false, envoy: false, over: undefined, ...by }]],
    [
      "POST",
      "/api/undo",
      { dryRun: "true" },
      { revision: 3, over: 5 },
      ["undo", 3, { dryRun: true, envoy: false, over: 5, ...by }],
    ],
    ["GET", "/api/objects", {}, undefined, ["objects", undefined]],
    [
      "GET",
      "/api/objects",
      { kind: "Gateway", namespace: "a", name: "b" },
      undefined,
      ["object", { kind: "Gateway", namespace: "a", name: "b" }],
    ],
    ["GET", "/api/traces", {}, undefined, ["traces", { errors: false, window: 3600, limit: 200 }]],
    [
      "GET",
      "/api/traces",
      {
        service: "reviews.default",
        min: "2.5",
        errors: "true",
        tag: 'http.status_code=503 user="ann b"',
        from: "1",
        to: "9",
      },
      undefined,
      [
        "traces",
        {
          service: "reviews.default",
          min: 2.5,
          errors: true,
          tag: { "http.status_code": "503", user: "ann b" },
          window: 3600,
          from: 1,
          to: 9,
          limit: 200,
        },
      ],
    ],
    ["GET", "/api/traces/operations", {}, undefined, ["traceOperations"]],
    ["GET", `/api/traces/${"A".repeat(32)}`, {}, undefined, ["trace", "a".repeat(32)]],
    ["GET", `/api/traces/${"a".repeat(16)}`, {}, undefined, ["trace", "0".repeat(16) + "a".repeat(16)]],
    ["GET", "/api/proxies/a~b/config", {}, undefined, ["proxyConfig", "a~b"]],
    [
      "GET",
      "/api/proxies/a/config",
      { type: "CDS", name: "x" },
      undefined,
      ["proxyResource", "a", { type: "CDS", name: "x" }],
    ],
  ])("%s %s %j", async (method, path, query, body, expected) => {
    expect(await call(method, path, query, body)).toEqual(expected);
  });
});

describe("bad input", () => {
  it.each<[string, string, Record<string, string>, unknown, string]>([
    ["GET", "/api/graph", { window: "0" }, undefined, "window"],
    ["GET", "/api/graph", { window: "abc" }, undefined, "window"],
    ["GET", "/api/services", { window: "2592001" }, undefined, "window"],
    ["GET", "/api/changes", { limit: "501" }, undefined, "limit"],
    ["GET", "/api/pushes/12x", {}, undefined, "revision"],
    ["PUT", "/api/services/a/b/routing/weights", { dryRun: "yes" }, {}, "dryRun"],
    ["PUT", "/api/services/a/b/routing/weights", {}, { weights: {} }, "rule"],
    ["PUT", "/api/services/a/b/routing/weights", {}, undefined, "object"],
    ["POST", "/api/undo", {}, { revision: 0 }, "revision"],
    ["POST", "/api/apply", {}, { yaml: "" }, "yaml"],
    ["GET", "/api/traces", { min: "x" }, undefined, "min"],
    ["GET", "/api/traces", { min: "5", max: "4" }, undefined, "max: must not be below min"],
    ["GET", "/api/traces", { from: "5", to: "4" }, undefined, "to: must be after from"],
    ["GET", "/api/traces", { tag: "status 503" }, undefined, "tag: must be key=value"],
    ["GET", "/api/traces", { errors: "yes" }, undefined, "errors"],
    ["GET", "/api/traces", { limit: "1001" }, undefined, "limit"],
    ["GET", "/api/traces", { window: "0" }, undefined, "window"],
    ["GET", "/api/traces/xyz", {}, undefined, "trace id"],
  ])("%s %s %j %j is refused by name", async (method, path, query, body, named) => {
    await expect(call(method, path, query, body)).rejects.toMatchObject({
      code: "INVALID",
      message: expect.stringContaining(named),
    });
  });
});
