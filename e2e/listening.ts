import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Ports at which these processes take TCP connections from other machines: at an address that is not loopback, or at all of them. Linux only. */
export function portsOffLoopback(pids: readonly number[]): Set<number> {
  const sockets = new Set(pids.flatMap(socketsOf));
  const ports = new Set<number>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    for (const line of readFileSync(table, "utf8").split("\n").slice(1)) {
      const [, local = "", , state, , , , , , inode = ""] = line.trim().split(/\s+/);
      const [address = "", port = ""] = local.split(":");
      if (state === listening && sockets.has(inode) && !isLoopback(address)) ports.add(Number.parseInt(port, 16));
    }
  }
  return ports;
}

const listening = "0A";

/** As the kernel writes addresses: words of 32 bits, each in the machine's order, which is the little end first. */
const isLoopback = (hex: string): boolean =>
  hex.length === 8
    ? hex.endsWith("7F")
    : hex === "00000000000000000000000001000000" || /^0{16}FFFF0000.{6}7F$/.test(hex);

function socketsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`;
  return readdirSync(folder).flatMap((fd) => {
    try {
      return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${folder}/${fd}`))?.[1] ?? [];
    } catch {
      return []; // closed meanwhile
    }
  });
}
