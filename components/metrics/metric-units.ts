import type { MetricResult } from "../../server/contract/index.ts";
import type { ChartKind } from "../ui/chart-axis.ts";

const perSecond: Readonly<Record<string, ChartKind>> = { By: "bytes-rate", s: "cores" };
const plain: Readonly<Record<string, ChartKind>> = { ms: "ms", s: "s", us: "us", By: "bytes" };

/** How values are written, by the unit (UCUM) of the metric and what is asked of it: seconds of processor time a second are processors. */
export function chartKindOf({ unit, fn, kind }: Pick<MetricResult, "unit" | "fn" | "kind">): ChartKind {
  if (fn === "rate") return kind === "histogram" ? "hz" : (perSecond[unit] ?? "hz");
  return plain[unit] ?? "count";
}
