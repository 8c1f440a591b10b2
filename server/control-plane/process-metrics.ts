import { readdirSync, readFileSync } from "node:fs";
import { residentBytes } from "../lib/process-memory.ts";
import type { Metrics } from "./metrics.ts";

/** What every Prometheus client shows of its process. https://prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics */
export function addProcessMetrics(metrics: Metrics): void {
  const startedAt = Math.floor(Date.now() / 1000 - process.uptime());
  metrics.readCounter("process_cpu_seconds_total", "User and system CPU time spent, in seconds.", () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  metrics.gauge("process_resident_memory_bytes", "Resident memory size in bytes.", () => residentBytes());
  metrics.gauge("process_start_time_seconds", "Start time of the process, Unix seconds.", () => startedAt);
  if (process.platform !== "linux") return;
  metrics.gauge("process_virtual_memory_bytes", "Virtual memory size in bytes.", virtualBytes);
  metrics.gauge("process_open_fds", "Number of open file descriptors.", () => readdirSync("/proc/self/fd").length);
}

/** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const virtualBytes = (): number => {
  const kilobytes = /^VmSize:\s+(\d+) kB$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  return Number(kilobytes ?? 0) * 1024;
};
