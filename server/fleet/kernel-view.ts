import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What the kernel says of processes and their sockets. Linux only: elsewhere, and without the right to look, answers are undefined. */

/** When a process started, in ticks since boot. A pid is given again some day; a pid with its start is one process. */
export function startTicks(pid: number): string | undefined {
  // Field 22; the name, field 2, may hold spaces and parentheses. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
  const stat = read(`/proc/${pid}/stat`);
  return stat?.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
}

export interface PortHolder {
  pid: number;
  /** Its command line, cut to what a sentence bears. */
  command: string;
}

/** The process that listens on an IPv4 address. */
export function portHolder(host: string, port: number): PortHolder | undefined {
  const inodes = listeningInodes(read("/proc/net/tcp") ?? "", host, port);
  if (inodes.size === 0) return undefined;
  for (const entry of list("/proc")) {
    const pid = Number(entry);
    if (!Number.isInteger(pid)) continue;
    for (const fd of list(`/proc/${pid}/fd`)) {
      const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`) ?? "")?.[1];
      if (inode !== undefined && inodes.has(inode)) return { pid, command: commandOf(pid) };
    }
  }
  return undefined;
}

/** One variable of a process' environment, as it was started. */
export function environmentOf(pid: number, name: string): string | undefined {
  const entry = (read(`/proc/${pid}/environ`) ?? "").split("\0").find((line) => line.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** Rows of /proc/net/tcp: `sl local_address rem_address st … inode`; addresses in hexadecimal, the bytes of IPv4 backwards on little-endian machines. */
export function listeningInodes(table: string, host: string, port: number): Set<string> {
  const address = host
    .split(".")
    .map((byte) => Number(byte).toString(16).padStart(2, "0"))
    .reverse()
    .join("")
    .toUpperCase();
  const wanted = new Set(
    [address, "00000000"].map((ip) => `${ip}:${port.toString(16).toUpperCase().padStart(4, "0")}`),
  );
  const inodes = new Set<string>();
  for (const row of table.split("\n")) {
    const [, local = "", , state, , , , , , inode] = row.trim().split(/\s+/);
    if (state === listenState && wanted.has(local) && inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

const listenState = "0A";

const commandOf = (pid: number): string =>
  (read(`/proc/${pid}/cmdline`) ?? "").split("\0").filter(Boolean).join(" ").slice(0, 120);

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function link(path: string): string | undefined {
  try {
    return readlinkSync(path);
  } catch {
    return undefined;
  }
}
