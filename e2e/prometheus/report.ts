import { readFileSync, writeFileSync } from "node:fs";
import type { Answer } from "./evaluate.ts";
import { type Dashboard, dashboards } from "./expressions.ts";

const begin = "<!-- campaign: written by npm run test:long -- prometheus --write -->";
const end = "<!-- end of campaign -->";

/** How many of each dashboard's expressions answer, as a table in Markdown. */
export function byDashboard(answers: readonly Answer[]): string {
  const row = (name: string, of: readonly Answer[]) => [
    name,
    String(of.filter((each) => each.answered).length),
    String(of.length),
  ];
  const rows = (Object.keys(dashboards) as Dashboard[]).map((name) =>
    row(
      name,
      answers.filter(({ dashboard }) => dashboard === name),
    ),
  );
  return markdown(["dashboard", "answer", "expressions"], [...rows, row("all", answers)]);
}

/** Those that don't, each with the reason. */
export function unanswered(answers: readonly Answer[]): string {
  const rows = answers
    .filter(({ answered }) => !answered)
    .map(({ dashboard, panel, text, reason }) => [dashboard, panel, `\`${short(text)}\``, reason]);
  return markdown(["dashboard", "panel", "expression", "why not"], rows);
}

export function writePage(path: string, answers: readonly Answer[]): void {
  const page = readFileSync(path, "utf8");
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`${path}: the marks of the campaign's table are missing`);
  const tables = `${byDashboard(answers)}\n\nWhat gets no answer:\n\n${unanswered(answers)}`;
  writeFileSync(path, `${page.slice(0, from + begin.length)}\n\n${tables}\n\n${page.slice(to)}`);
}

const short = (text: string): string => {
  const line = text.replaceAll(/\s+/g, " ").trim();
  return (line.length > 110 ? `${line.slice(0, 109)}…` : line).replaceAll("|", "\\|");
};

const markdown = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => "---"), ...rows].map((line) => `| ${line.join(" | ")} |`).join("\n");
