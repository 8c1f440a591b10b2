import { afterEach, describe, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { findOpenTelemetryPython } from "../telemetry/testing/opentelemetry-python.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { createControlPlane } from "./control-plane.ts";
import { startEcho } from "./testing/echo.ts";
import { type CallerOptions, startNodeCaller, startPythonCaller } from "./testing/echo-callers.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const mesh = (v1: number, v2: number) => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: echo, namespace: default }
spec:
  hosts: [echo.default.svc.cluster.local]
  ports: [{ name: grpc, number: 7070, protocol: GRPC }]
  resolution: STATIC
  endpoints:
  - { address: 127.0.0.1, ports: { grpc: ${v1} }, labels: { version: v1 } }
  - { address: 127.0.0.1, ports: { grpc: ${v2} }, labels: { version: v2 } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo, namespace: default }
spec:
  host: echo.default.svc.cluster.local
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
`;

const rule = (http: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: echo, namespace: default }
spec: { hosts: [echo.default.svc.cluster.local], http: ${http} }
`;

const outliers = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: echo, namespace: default }
spec:
  host: echo.default.svc.cluster.local
  subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }]
  trafficPolicy: { outlierDetection: { consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 300s, maxEjectionPercent: 50 } }
`;

const to = (subset: string, weight = 100) =>
  `{ destination: { host: echo.default.svc.cluster.local, subset: ${subset} }, weight: ${weight} }`;

const id = "sidecar~127.0.0.1~caller-v1.default~default.svc.cluster.local";
const patience = { timeout: 20_000, interval: 50 };

// The environment that OpenTelemetry's SDK is installed in has grpcio, by which it sends.
const python = findOpenTelemetryPython();
const withoutPython = python === undefined && !process.env.CI ? " (skipped: `npm test` installs grpcio)" : "";

describe.each([
  { name: "grpc-js", client: /^gRPC Node/, missing: false, start: startNodeCaller },
  {
    name: `grpcio${withoutPython}`,
    client: /^gRPC C-core/,
    missing: withoutPython !== "",
    start: (options: CallerOptions) => startPythonCaller(python ?? "python3", options),
  },
])("a gRPC application without a proxy, $name", ({ client, missing, start }) => {
  async function setUp(http: string) {
    const store = new MemoryConfigStore();
    const put = async (text: string) => {
      const parsed = parseDocuments(text);
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
      await store.commit(
        parsed.value.map((object) => ({ op: "put" as const, object })),
        "test",
      );
    };
    await put(mesh(await startEcho(closers, "v1"), await startEcho(closers, "v2")));
    await put(rule(http));
    const limits = { loadReportMs: 1_000 };
    const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger, limits });
    await plane.start();
    closers.push(() => plane.stop());
    const xdsPort = plane.addresses().xds;
    const ask = await start({ closers, target: "xds:///echo.default.svc.cluster.local:7070", node: id, xdsPort });
    await vi.waitFor(async () => expect(await ask()).toBe("v1"), patience);
    return { plane, put: (next: string) => put(rule(next)), putObjects: put, ask, xdsPort };
  }

  test.skipIf(missing)("follows routes, weights and faults", { timeout: 90_000 }, async () => {
    const { put, ask, xdsPort } = await setUp(`[{ route: [${to("v1")}] }]`);
    await put(
      `[{ match: [{ headers: { user: { exact: tester } } }], route: [${to("v2")}] }, { route: [${to("v1")}] }]`,
    );
    await vi.waitFor(async () => expect(await ask({ user: "tester" })).toBe("v2"), patience);
    expect(await ask()).toBe("v1");

    await put(`[{ route: [${to("v1", 50)}, ${to("v2", 50)}] }]`);
    await vi.waitFor(async () => {
      const answers = new Set(await Promise.all(Array.from({ length: 40 }, () => ask())));
      expect([...answers].sort()).toEqual(["v1", "v2"]);
    }, patience);

    const fault = "fault: { abort: { grpcStatus: RESOURCE_EXHAUSTED, percentage: { value: 100 } } }";
    await put(`[{ ${fault}, route: [${to("v1")}] }]`);
    await vi.waitFor(async () => expect(await ask()).toBe("RESOURCE_EXHAUSTED"), patience);

    const [seen] = await fetchProxyStatuses(`127.0.0.1:${xdsPort}`, { contents: false });
    expect(seen).toMatchObject({ name: "caller-v1", implementation: expect.stringMatching(client), protocol: "sotw" });
    expect(Object.values(seen?.types ?? {}).map(({ state }) => state)).not.toContain("ERROR");
  });

  test.skipIf(missing)("tries again as often as its route says", { timeout: 90_000 }, async () => {
    const { put, ask } = await setUp(`[{ route: [${to("v1")}] }]`);
    // Two retries unless something else is said.
    expect(await ask({ fail: "2" })).toBe("v1");
    expect(await ask({ fail: "3" })).toBe("UNAVAILABLE");
    await put(`[{ retries: { attempts: 4, retryOn: unavailable }, route: [${to("v1")}] }]`);
    await vi.waitFor(async () => expect(await ask({ fail: "3" })).toBe("v1"), patience);
    await put(`[{ retries: { attempts: 0 }, route: [${to("v1")}] }]`);
    await vi.waitFor(async () => expect(await ask({ fail: "1" })).toBe("UNAVAILABLE"), patience);
    await put(`[{ retries: { attempts: 3, retryOn: cancelled }, route: [${to("v2")}] }]`);
    await vi.waitFor(async () => expect(await ask()).toBe("v2"), patience);
    expect(await ask({ fail: "1" })).toBe("UNAVAILABLE");
  });

  test.skipIf(missing)("leaves out an endpoint that only fails", { timeout: 90_000 }, async () => {
    const { putObjects, put, ask } = await setUp(`[{ route: [${to("v1")}] }]`);
    // Before the client knows the cluster: one that it has, grpc-js does not give another outlier detection.
    await putObjects(outliers);
    await put("[{ retries: { attempts: 0 }, route: [{ destination: { host: echo.default.svc.cluster.local } }] }]");
    const answers = async (headers: Record<string, string>) => {
      const calls = Array.from({ length: 10 }, () => ask(headers));
      return [...new Set(await Promise.all(calls))].sort();
    };
    await vi.waitFor(async () => expect(await answers({})).toEqual(["v1", "v2"]), patience);
    expect(await answers({ "fail-v2": "yes" })).toContain("UNAVAILABLE");
    await vi.waitFor(async () => expect(await answers({ "fail-v2": "yes" })).toEqual(["v1"]), patience);
    expect(await answers({})).toEqual(["v1"]);
  });

  test.skipIf(missing)("tells what load it sends, and what of it failed", { timeout: 90_000 }, async () => {
    const { plane, ask } = await setUp(`[{ retries: { attempts: 0 }, route: [${to("v1")}] }]`);
    await vi.waitFor(async () => {
      await ask();
      await ask({ fail: "1" });
      const load = plane
        .loads()
        .get(id)
        ?.find(({ cluster }) => cluster.includes("|7070|v1|echo."));
      expect(load?.requestsPerSec).toBeGreaterThan(0);
      expect(load?.errorsPerSec).toBeGreaterThan(0);
    }, patience);
  });
});
