import { readFileSync, writeFileSync } from "node:fs";
import type { Row } from "./run.ts";

const begin = "<!-- campaign: written by npm run test:long -- faults --write -->";
const end = "<!-- end of campaign -->";

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
  "on",
];
const fine = "as intended";

/** The rows as a table in Markdown. */
export const table = (rows: readonly Row[]): string => markdown(cellsOf(rows));

const cellsOf = (rows: readonly Row[]): string[][] => {
  const today = new Date().toISOString().slice(0, 10);
  return rows.map((row) =>
    row.skipped
      ? [row.part, row.what, "", "", "", "", "", "", `not tried: ${row.skipped}`, today]
      : [
          row.part,
          row.what,
          `${row.failed} / ${row.sent}${reasonsOf(row)}`,
          row.mayFailForSec === 0 ? "" : `${row.failedForSec.toFixed(1)} s (${row.mayFailForSec} s)`,
          `${row.lostWrites ?? "?"} / ${row.acknowledged}`,
          String(row.refusedWrites),
          row.recoverySec === null ? "—" : `${Math.max(0, row.recoverySec).toFixed(1)} s`,
          row.states.join(" → "),
          row.problems.length === 0 ? fine : `**${row.problems.join("; ")}**`,
          today,
        ],
  );
};

const markdown = (cells: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...cells].map((line) => `| ${line.join(" | ")} |`).join("\n");

const reasonsOf = ({ reasons }: Row): string => {
  const parts = Object.entries(reasons).map(([reason, count]) => `${count} × ${reason}`);
  return parts.length === 0 ? "" : ` (${parts.join(", ")})`;
};

/** Puts the rows into the table between the two marks of a page, in place of those of the same faults. Throws when the marks are not there. */
export function writeReport(path: string, rows: readonly Row[]): void {
  const page = readFileSync(path, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path}: the marks of the campaign's table are missing`);
  const faultOf = ([part, what]: readonly string[]) => `${part} | ${what}`;
  const known = readRows(page.slice(from, to));
  const byFault = new Map([...known, ...cellsOf(rows)].map((cells) => [faultOf(cells), cells]));
  const all = [...byFault.values()];
  const intended = all.filter((cells) => cells[head.length - 2] === fine).length;
  const preface = `${intended} of ${all.length} faults went as intended, each when it was last tried.`;
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${preface}\n\n${markdown(all)}\n\n${page.slice(to)}`);
}

/** Those of a table that is written down, without its head. */
const readRows = (text: string): string[][] =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| "))
    .slice(2)
    .map((line) => line.slice(2, -2).split(" | "))
    .filter((cells) => cells.length === head.length);
