import { findWords } from "./find.ts";

/** Expressions that people begin with. */
export const findPresets = [
  "failing or degraded",
  "errors > 1%",
  "p95 > 500ms",
  "rate > 10",
  "fault",
  "split",
  "not mtls",
  "grpc or tcp",
] as const;
export const hidePresets = ["idle", "healthy", "tcp", "rate < 0.1", "not (failing or degraded)"] as const;

const shownAtMost = 12;

/** What may follow what is written: presets for nothing yet; else words and names that go on from the last one. */
export function completionsOf(text: string, names: readonly string[], presets: readonly string[]): string[] {
  if (text.trim() === "") return [...presets];
  const [, head = "", last = ""] = /^(.*?)([^\s()]*)$/.exec(text) ?? [];
  if (last === "") return [];
  const begins = last.toLowerCase();
  return [...new Set([...findWords, ...names])]
    .filter((word) => word.toLowerCase().startsWith(begins) && word !== last)
    .slice(0, shownAtMost)
    .map((word) => `${head}${word}`);
}
