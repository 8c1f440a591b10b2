import { readdirSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { FleetStatus, PartStatus } from "./fleet-api.ts";
import { logFileOf } from "./log-file.ts";

/** A part as Kubernetes would have it. */
interface Container {
  namespace: string;
  pod: string;
  container: string;
}

/** Names by which Istio's dashboards look for its control plane and its proxies. */
const proxyContainer = "istio-proxy";
const controlPlaneContainer = "discovery";
const systemNamespace = "istio-system";

/**
 * What each part's process takes of this machine, under the names that cAdvisor gives to containers, in Prometheus' text format: processor time and resident memory as
 * the kernel has them, and the bytes of the files that are a part's alone. A workload and its proxy are two containers of one pod.
 * https://github.com/google/cadvisor/blob/master/docs/storage/prometheus.md
 */
export function containerMetrics({ parts, data }: Pick<FleetStatus, "parts" | "data">): string {
  const known = parts.map((part) => ({ part, labels: labelsOf(containerOf(part)) }));
  const lines: string[] = [];
  const add = (
    type: "counter" | "gauge",
    name: string,
    help: string,
    read: (part: PartStatus) => number | undefined,
  ) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const { part, labels } of known) {
      const value = read(part);
      if (value !== undefined) lines.push(`${name}{${labels}} ${value}`);
    }
  };
  const memory = ({ usage }: PartStatus) => usage?.memoryBytes;
  add("counter", "container_cpu_usage_seconds_total", "Processor time, user and system, in seconds.", ({ usage }) =>
    usage === null ? undefined : usage.cpuMs / 1000,
  );
  add("gauge", "container_memory_working_set_bytes", "Resident memory in bytes.", memory);
  add("gauge", "container_memory_rss", "Resident memory in bytes.", memory);
  add(
    "gauge",
    "container_fs_usage_bytes",
    "Bytes of the part's own files in the data folder.",
    ({ name }) =>
      bytesOf(dirname(logFileOf(data, name)), (file) => file.startsWith(`${basename(logFileOf(data, name))}`)) +
      bytesOf(data, (file) => (filesOf[name] ?? []).some((prefix) => file.startsWith(prefix))),
  );
  add("gauge", "container_start_time_seconds", "When the process was started, Unix seconds.", ({ startedAt, pid }) =>
    pid === null ? undefined : startedAt / 1000,
  );
  return `${lines.join("\n")}\n`;
}

/** Files in the data folder that one part writes, by how their names begin. */
const filesOf: Readonly<Record<string, readonly string[]>> = {
  "control-plane": ["config.db", "config-mesh.json", "known-proxies.json", "issued-certificates.json"],
  collector: ["telemetry.db", "collector.json"],
};

function containerOf({ name, kind, node }: PartStatus): Container {
  if (kind === "control-plane")
    return { namespace: systemNamespace, pod: "istiod-0", container: controlPlaneContainer };
  const [, , id = ""] = node?.split("~") ?? [];
  const dot = id.lastIndexOf(".");
  if (dot > 0) return { namespace: id.slice(dot + 1), pod: `${id.slice(0, dot)}-0`, container: proxyContainer };
  // The demo's workloads are in one namespace, and called as their pods.
  if (kind === "workload") return { namespace: "default", pod: `${name}-0`, container: name.replace(/-v\d+$/, "") };
  return { namespace: systemNamespace, pod: `limpid-${name}-0`, container: name };
}

const labelsOf = (labels: Container): string =>
  Object.entries(labels)
    .map(([key, value]) => `${key}="${value.replace(/[\\"\n]/g, "_")}"`)
    .join(",");

function bytesOf(folder: string, isOwn: (file: string) => boolean): number {
  let bytes = 0;
  try {
    for (const file of readdirSync(folder)) {
      if (isOwn(file)) bytes += statSync(join(folder, file), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    return bytes; // a folder that is not there yet
  }
  return bytes;
}
