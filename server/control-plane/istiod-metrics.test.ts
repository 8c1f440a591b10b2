import { expect, it } from "vitest";
import { istiodMetrics } from "./istiod-metrics.ts";
import { Metrics } from "./metrics.ts";
import { addProcessMetrics } from "./process-metrics.ts";

it("shows what Istio's dashboards ask of a control plane, by Istio's names", () => {
  const metrics = new Metrics();
  const istiod = istiodMetrics(metrics, { version: "0.1.0", connected: () => 7 });
  istiod.pushed("type.googleapis.com/envoy.config.cluster.v3.Cluster", 20_000);
  istiod.refused("type.googleapis.com/envoy.config.listener.v3.Listener");
  istiod.translated(50);
  istiod.translated(60_000);
  istiod.converged(200);
  istiod.triggered("config");
  const key = { kind: "VirtualService", namespace: "default", name: "a" };
  istiod.changed([
    { type: "ADDED", key },
    { type: "DELETED", key: { ...key, kind: "WorkloadEntry" } },
  ]);
  const routes = { group: "networking.istio.io", version: "v1", plural: "virtualservices" };
  istiod.validated(routes, true);
  istiod.validated(routes, false);
  istiod.validated(routes, true);
  const text = metrics.text();
  for (const line of [
    'istio_build{component="pilot",tag="0.1.0"} 1',
    "pilot_xds 7",
    'pilot_xds_pushes{type="cds"} 1',
    'pilot_total_xds_rejects{type="lds"} 1',
    'pilot_total_xds_rejects{type="cds"} 0',
    "pilot_total_xds_internal_errors 0",
    'pilot_k8s_cfg_events{type="VirtualService",event="add"} 1',
    'pilot_k8s_reg_events{type="Workloads",event="delete"} 1',
    'galley_validation_passed{group="networking.istio.io",version="v1",resource="virtualservices"} 2',
    'galley_validation_failed{group="networking.istio.io",version="v1",resource="virtualservices",reason="invalid_resource"} 1',
    'pilot_push_triggers{type="config"} 1',
    "# TYPE pilot_xds_push_time histogram",
    'pilot_xds_push_time_bucket{le="0.01"} 0',
    'pilot_xds_push_time_bucket{le="0.1"} 1',
    'pilot_xds_push_time_bucket{le="30"} 1',
    'pilot_xds_push_time_bucket{le="+Inf"} 2',
    "pilot_xds_push_time_sum 60.05",
    "pilot_xds_push_time_count 2",
    'pilot_xds_config_size_bytes_bucket{type="cds",le="1000000"} 1',
    'pilot_proxy_convergence_time_bucket{le="0.5"} 1',
  ]) {
    expect(text.split("\n")).toContain(line);
  }
});

it("shows what every Prometheus client does of its process", () => {
  const metrics = new Metrics();
  addProcessMetrics(metrics);
  const read = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, "m").exec(metrics.text())?.[1]);
  expect(read("process_cpu_seconds_total")).toBeGreaterThan(0);
  expect(read("process_resident_memory_bytes")).toBeGreaterThan(1e6);
  expect(read("process_start_time_seconds")).toBeLessThanOrEqual(Date.now() / 1000);
  if (process.platform !== "linux") return;
  expect(read("process_virtual_memory_bytes")).toBeGreaterThan(read("process_resident_memory_bytes"));
  expect(read("process_open_fds")).toBeGreaterThan(2);
});
