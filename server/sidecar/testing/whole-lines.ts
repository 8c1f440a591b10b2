import { existsSync, readFileSync } from "node:fs";

/** The lines of a log that somebody is still writing: what has no end yet is none, for Envoy writes a long line in several parts. */
export const wholeLines = (path: string): string[] =>
  existsSync(path) ? readFileSync(path, "utf8").split("\n").slice(0, -1) : [];
