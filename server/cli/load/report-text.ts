import {
  type Change,
  changesBetween,
  type LoadLatency,
  type LoadOutcome,
  type LoadPlan,
  type LoadReport,
} from "../../contract/index.ts";
import { columns } from "../columns.ts";
import { count } from "../count.ts";
import { failedPercent } from "./limits.ts";

const quantiles = ["p50", "p75", "p90", "p95", "p99", "p999", "max"] as const satisfies (keyof LoadLatency)[];
const heads: Record<(typeof quantiles)[number], string> = {
  ...{ p50: "P50", p75: "P75", p90: "P90", p95: "P95", p99: "P99", p999: "P99.9", max: "MAX" },
};

/** A generator that is later than this has a part in the figures. */
const lateMs = 5;

/** What a run found, for a terminal; beside what an earlier one found, where there is one. */
export function reportText(outcome: LoadOutcome, baseline?: LoadOutcome, plan?: LoadPlan): string {
  const rows = [
    ["", ...quantiles.map((name) => heads[name])],
    ["latency", ...quantiles.map((name) => ms(outcome.latency[name]))],
    ["service time", ...quantiles.map((name) => ms(outcome.serviceTime[name]))],
    ...(baseline
      ? [
          ["latency then", ...quantiles.map((name) => ms(baseline.latency[name]))],
          ["change", ...quantiles.map((name) => change(outcome.latency[name], baseline.latency[name]))],
        ]
      : []),
  ];
  return [countsLine(outcome), ...(baseline ? [`then: ${countsLine(baseline)}`] : []), columns(rows).trimEnd()]
    .concat(plan && outcome.requests.length > 1 ? columns(requestRows(outcome, plan)).trimEnd() : [])
    .concat(notes(outcome))
    .join("\n");
}

const requestRows = ({ requests }: LoadOutcome, plan: LoadPlan): string[][] => [
  ["REQUEST", "DUE", "OK", "P50", "P99"],
  ...[plan, ...plan.also].map(({ method, url }, index) => {
    const { due = 0, ok = 0, p50 = null, p99 = null } = requests[index] ?? {};
    return [`${method} ${url}`, String(due), String(ok), ms(p50), ms(p99)];
  }),
];

function countsLine(outcome: LoadOutcome): string {
  const { due, answered, answeredPerSec, statuses, failures } = outcome;
  const parts = [...Object.entries(statuses), ...Object.entries(failures)].map(([what, times]) => `${what} × ${times}`);
  return `${due} due, ${answered} answered (${answeredPerSec.toFixed(1)}/s), ${due === 0 ? "-" : percent(failedPercent(outcome))} failed: ${parts.join(", ") || "nothing"}`;
}

function notes({ generatorLagMs, failures }: LoadOutcome): string[] {
  const late =
    generatorLagMs > lateMs
      ? [`This machine was late by up to ${ms(generatorLagMs)} in sending (99 of 100), which is in the latencies.`]
      : [];
  const unanswered = Object.values(failures).reduce((sum, count) => sum + count, 0);
  const silent = unanswered > 0 ? [`${count(unanswered, "request")} without an answer: in no percentile.`] : [];
  const waited = (failures["not sent"] ?? 0) + (failures["no connection in time"] ?? 0);
  const stuck = waited > 0 ? [`${waited} never had a connection: more --connections, or less --rate.`] : [];
  return [...silent, ...late, ...stuck];
}

/** What of the mesh was changed between two runs, the newest last. */
export function changesText(changes: readonly Change[], one: LoadReport, other: LoadReport): string {
  const between = changesBetween(changes, one, other).toReversed();
  if (between.length === 0) return "nothing of the mesh was changed between the two\n";
  const rows = between.map(({ revision, at, summary, author }) => [String(revision), utc(at), summary, author]);
  return `changed between the two:\n${columns(rows)}`;
}

const utc = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace("T", " ");

/** One line of a list. */
export const reportRow = ({ id, startedAt, plan, outcome, ended }: LoadReport): string[] => [
  id.slice(0, 8),
  utc(startedAt),
  `${plan.method} ${plan.url}`,
  `${plan.rate}/s`,
  `${plan.durationSec} s`,
  ended,
  outcome.due === 0 ? "-" : percent(failedPercent(outcome)),
  ms(outcome.latency.p50),
  ms(outcome.latency.p99),
];

const percent = (share: number): string => `${share.toFixed(share > 0 && share < 1 ? 2 : 1)} %`;

const ms = (value: number | null): string =>
  value === null ? "-" : value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(1)} ms`;

const change = (now: number | null, then: number | null): string => {
  if (now === null || then === null || then === 0) return "-";
  const percent = (now / then - 1) * 100;
  return `${percent > 0 ? "+" : ""}${percent.toFixed(1)} %`;
};
