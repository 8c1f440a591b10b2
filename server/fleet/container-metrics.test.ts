import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { containerMetrics } from "./container-metrics.ts";
import type { PartStatus } from "./fleet-api.ts";
import { logFileOf } from "./log-file.ts";

let data: string;
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "limpid-containers-"));
  mkdirSync(join(data, "logs"));
});
afterEach(() => rmSync(data, { recursive: true, force: true }));

const part = (name: string, kind: string, changes: Partial<PartStatus> = {}): PartStatus => ({
  ...{
    name,
    kind,
    pid: 7,
    address: "",
    state: "ready",
    restarts: 0,
    startedAt: 1_767_225_600_000,
    lastExit: null,
    ends: [],
  },
  ...{ node: null, metrics: null, admin: null, usage: { cpuMs: 2500, memoryBytes: 100_000 } },
  ...changes,
});

it("shows what a process takes as a container of a pod, by cAdvisor's names", () => {
  writeFileSync(logFileOf(data, "reviews-v1 proxy"), "12345");
  writeFileSync(`${logFileOf(data, "reviews-v1 proxy")}.1`, "123");
  writeFileSync(join(data, "config.db"), "1234567");
  writeFileSync(join(data, "config.db-wal"), "1");
  const node = "sidecar~127.0.1.3~reviews-v1.default~default.svc.cluster.local";
  const gateway = "router~127.0.0.1~istio-ingressgateway.istio-system~istio-system.svc.cluster.local";
  const lines = containerMetrics({
    data,
    parts: [
      part("control-plane", "control-plane"),
      part("reviews-v1", "workload"),
      part("reviews-v1 proxy", "sidecar", { node }),
      part("istio-ingressgateway", "gateway", { node: gateway, usage: null, pid: null }),
      part("collector", "collector"),
    ],
  }).split("\n");
  const proxy = 'namespace="default",pod="reviews-v1-0",container="istio-proxy"';
  const istiod = 'namespace="istio-system",pod="istiod-0",container="discovery"';
  for (const line of [
    "# TYPE container_cpu_usage_seconds_total counter",
    `container_cpu_usage_seconds_total{${proxy}} 2.5`,
    'container_cpu_usage_seconds_total{namespace="default",pod="reviews-v1-0",container="reviews"} 2.5',
    `container_memory_working_set_bytes{${istiod}} 100000`,
    `container_fs_usage_bytes{${proxy}} 8`,
    `container_fs_usage_bytes{${istiod}} 8`,
    'container_fs_usage_bytes{namespace="istio-system",pod="istio-ingressgateway-0",container="istio-proxy"} 0',
    'container_memory_rss{namespace="istio-system",pod="limpid-collector-0",container="collector"} 100000',
  ]) {
    expect(lines).toContain(line);
  }
  // One that does not run takes nothing.
  expect(lines.filter((line) => /^container_(?:cpu|memory|start).*ingressgateway/.test(line))).toEqual([]);
});
