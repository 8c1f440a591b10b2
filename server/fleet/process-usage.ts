import { readFileSync } from "node:fs";

/** What a process, with those that it started, has taken of its machine so far. */
export interface ProcessUsage {
  /** User and system time since its start, milliseconds. */
  cpuMs: number;
  /** Resident sets. */
  memoryBytes: number;
}

/** USER_HZ: what the kernel counts in towards programs, whatever its own tick. https://man7.org/linux/man-pages/man7/time.7.html */
const ticksPerSecond = 100;

/**
 * By the kernel's account, so that any kind of process is measured alike; null where there is no /proc, or no such process. With what it started: workers of
 * a bundled proxy are processes of their own. Time of those that ended is kept, so that the sum never falls.
 */
export function processUsage(pid: number, read: (path: string) => string = readText): ProcessUsage | null {
  const own = readUsage(pid, read);
  if (own === null) return null;
  const parts = [own, ...childrenOf(pid, read).flatMap((child) => processUsage(child, read) ?? [])];
  return {
    cpuMs: parts.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    memoryBytes: parts.reduce((sum, { memoryBytes }) => sum + memoryBytes, 0),
  };
}

const readText = (path: string): string => readFileSync(path, "utf8");

/** Of its first thread, by which Node and shells start others; none where the kernel keeps no such list. */
function childrenOf(pid: number, read: (path: string) => string): number[] {
  try {
    return read(`/proc/${pid}/task/${pid}/children`).split(" ").map(Number).filter(Boolean);
  } catch {
    return [];
  }
}

function readUsage(pid: number, read: (path: string) => string): ProcessUsage | null {
  try {
    return parseUsage(read(`/proc/${pid}/stat`), read(`/proc/${pid}/status`));
  } catch {
    return null;
  }
}

/** https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html: the name, field 2, may hold spaces and parentheses. */
function parseUsage(stat: string, status: string): ProcessUsage | null {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  // Its own, user and system, and that of children that it waited for.
  const ticks = fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
  // A process that has ended and was not waited for has no memory any more.
  const resident = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (!Number.isFinite(ticks) || resident === undefined) return null;
  return { cpuMs: (ticks * 1000) / ticksPerSecond, memoryBytes: Number(resident) * 1024 };
}
