import { readFileSync, writeFileSync } from "node:fs";
import type { Row } from "./run.ts";

const begin = "<!-- campaign: written by npm run test:long -- faults --write -->";
const end = "<!-- end of campaign -->";

/** The rows as a table in Markdown. */
export function table(rows: readonly Row[]): string {
  const head = [
    "part",
    "what was done",
    "failed / sent",
    "failed for (may)",
    "lost / acknowledged writes",
    "refused",
    "recovery",
    "what the status said",
    "verdict",
  ];
  const cells = rows.map((row) =>
    row.skipped
      ? [row.part, row.what, "", "", "", "", "", "", `not tried: ${row.skipped}`]
      : [
          row.part,
          row.what,
          `${row.failed} / ${row.sent}${reasonsOf(row)}`,
          row.mayFailForSec === 0 ? "" : `${row.failedForSec.toFixed(1)} s (${row.mayFailForSec} s)`,
          `${row.lostWrites ?? "?"} / ${row.acknowledged}`,
          String(row.refusedWrites),
          row.recoverySec === null ? "—" : `${Math.max(0, row.recoverySec).toFixed(1)} s`,
          row.states.join(" → "),
          row.problems.length === 0 ? "as intended" : `**${row.problems.join("; ")}**`,
        ],
  );
  return [head, head.map(() => "---"), ...cells].map((line) => `| ${line.join(" | ")} |`).join("\n");
}

const reasonsOf = ({ reasons }: Row): string => {
  const parts = Object.entries(reasons).map(([reason, count]) => `${count} × ${reason}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
};

/** Puts the table between the two marks of a page. Throws when they are not there. */
export function writeReport(path: string, rows: readonly Row[], preface: string): void {
  const page = readFileSync(path, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path}: the marks of the campaign's table are missing`);
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${preface}\n\n${table(rows)}\n\n${page.slice(to)}`);
}
