import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { listenerJson, staticCluster, toCluster } from "../sidecar/test-plane.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-validate-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function validate(bootstrap: object) {
  const file = join(folder, "bootstrap.json");
  writeFileSync(file, JSON.stringify(bootstrap));
  const args = [join(import.meta.dirname, "main.ts"), "sidecar", "--mode", "validate", "-c", file];
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  return { file, status, stdout, stderr };
}

const node = { id: "a", cluster: "a" };
const listener = listenerJson({ routes: [toCluster("up")], manager: { access_log: [] } });

it("--mode validate says that a bootstrap is good, and ends", () => {
  const { file, ...result } = validate({
    node,
    static_resources: { listeners: [listener], clusters: [staticCluster("up", [1])] },
  });
  expect(result).toEqual({ status: 0, stdout: `configuration '${file}' OK\n`, stderr: "" });
});

it("--mode validate says all that is wrong, of the bootstrap and of what is in it, a line each", () => {
  const { file, status, stdout, stderr } = validate({
    node,
    stats_sinks: [{ name: "statsd" }],
    static_resources: {
      listeners: [
        { ...listener, freebind: true },
        { name: "empty", address: listener.address as object },
      ],
      clusters: [{ ...staticCluster("up", [1]), lb_policy: "CLUSTER_PROVIDED" }],
    },
  });
  expect([status, stdout]).toEqual([1, ""]);
  expect(stderr.trimEnd().split("\n")).toEqual([
    `${file}: stats_sinks[0]: statsd is not supported; use envoy.stat_sinks.metrics_service`,
    expect.stringContaining("static_resources: cluster up: lb_policy: CLUSTER_PROVIDED"),
    expect.stringContaining("static_resources: listener test: freebind: not supported"),
    expect.stringContaining("static_resources: listener empty: filter_chains: one is required"),
  ]);
});
