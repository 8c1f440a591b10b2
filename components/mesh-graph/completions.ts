import { findWords } from "./find.ts";

/** Expressions that people begin with. */
export const findPresets = [
  "failing or degraded",
  "errors > 1%",
  "p95 > 500ms",
  "client-errors > 5%",
  "rate > 10",
  "code = 503",
  "fault",
  "split",
  "not mtls",
  "grpc or tcp",
] as const;
export const hidePresets = [
  "idle",
  "healthy",
  "tcp",
  "rate < 0.1",
  "kind = external",
  "not (failing or degraded)",
] as const;

/** Fields whose values are names of the graph. */
const nameFields = new Set(["name", "app", "namespace", "ns", "version", "workload", "service", "from", "to"]);
const known: Readonly<Record<string, readonly string[]>> = {
  kind: ["workload", "gateway", "source", "external", "unknown"],
  protocol: ["http", "grpc", "tcp"],
};

const shownAtMost = 12;

/** What may follow what is written: presets for nothing yet; else words and names that go on from the last one. */
export function completionsOf(text: string, names: readonly string[], presets: readonly string[]): string[] {
  if (text.trim() === "") return [...presets];
  const [, head = "", last = ""] = /^(.*?)([^\s()=]*)$/.exec(text) ?? [];
  // After `namespace =` come names alone, and all of them.
  const field = /(?:^|[\s(])([a-z-]+)\s*(?:[!*^$]?=|contains|startswith|endswith)\s*$/i.exec(head)?.[1]?.toLowerCase();
  const values = field && (known[field] ?? (nameFields.has(field) ? names : []));
  if (last === "" && !values) return [];
  const begins = last.toLowerCase();
  return [...new Set(values ?? [...findWords, ...names])]
    .filter((word) => word.toLowerCase().startsWith(begins) && word !== last)
    .slice(0, shownAtMost)
    .map((word) => `${head}${word}`);
}
