import { readFileSync } from "node:fs";

/** What one process has taken of its machine so far. */
export interface ProcessUsage {
  /** User and system time since its start, milliseconds. */
  cpuMs: number;
  /** Resident set. */
  memoryBytes: number;
}

/** USER_HZ: what the kernel counts in towards programs, whatever its own tick. https://man7.org/linux/man-pages/man7/time.7.html */
const ticksPerSecond = 100;

/** By the kernel's account, so that any kind of process is measured alike; null where there is no /proc, or no such process. */
export function processUsage(pid: number, read: (path: string) => string = readText): ProcessUsage | null {
  try {
    return parseUsage(read(`/proc/${pid}/stat`), read(`/proc/${pid}/status`));
  } catch {
    return null;
  }
}

const readText = (path: string): string => readFileSync(path, "utf8");

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, field 2, may hold spaces and parentheses. */
function parseUsage(stat: string, status: string): ProcessUsage | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [user, system] = [Number(fields[11]), Number(fields[12])];
  // A process that has ended and was not waited for has no memory any more.
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (!Number.isFinite(user) || !Number.isFinite(system) || resident === undefined) return null;
  return { cpuMs: ((user + system) * 1000) / ticksPerSecond, memoryBytes: Number(resident) * 1024 };
}
