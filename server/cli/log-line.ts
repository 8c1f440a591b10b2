import type { LogEntry } from "../contract/index.ts";

type Peer = LogEntry["source"];

/** One request as a line: local time, status, duration, who called whom, what, flags and details. */
export function formatLine(entry: LogEntry): string {
  const { protocol, code, grpcStatus, flags, details } = entry;
  const status = protocol === "tcp" ? "tcp" : code === 0 ? "none" : String(code);
  const why = details === "" || details === "via_upstream" ? "" : details;
  return [
    time(entry.at),
    (grpcStatus === null ? status : `${status}/${grpcStatus}`).padEnd(4),
    duration(entry.durationMs).padStart(8),
    `${peer(entry.source)} → ${peer(entry.destination) === "unknown" ? entry.service : peer(entry.destination)}`,
    printable(protocol === "tcp" ? entry.service : `${entry.method} ${entry.path}`),
    flags.join(","),
    printable(why),
  ]
    .filter((part) => part !== "")
    .join("  ");
}

const peer = ({ app, workload, version }: Peer): string => {
  const name = printable(app || workload);
  if (name === "") return "unknown";
  return version && version !== "latest" ? `${name}/${printable(version)}` : name;
};

function time(ms: number): string {
  const at = new Date(ms);
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}.${String(at.getMilliseconds()).padStart(3, "0")}`;
}

const duration = (ms: number): string =>
  ms < 10 ? `${ms.toFixed(1)} ms` : ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(2)} s`;

/** A caller writes paths: what a terminal would take for a command is no part of a line. */
const printable = (text: string): string => text.replace(/\p{Cc}/gu, "�");
