import { isClockApart, type Trace, type TraceSpan, type TraceSummary } from "../../contract/index.ts";
import { columns } from "../columns.ts";
import { count } from "../count.ts";

export function traceTable(traces: readonly TraceSummary[]): string {
  const rows = traces.map(({ traceId, startMs, durationMs, spans, errors, root }) => [
    traceId,
    new Date(startMs).toISOString(),
    ms(durationMs),
    String(spans),
    String(errors),
    `${root.service} ${root.name}`,
  ]);
  return columns([["TRACE", "START", "DURATION", "SPANS", "ERRORS", "ROOT"], ...rows]);
}

/** A line a span: its place in the tree, begin and duration; `*`: on the critical path, `!`: failed, `~`: moved, clocks run apart. */
export function traceTree({ traceId, startMs, durationMs, spans, errors, tree, totals }: Trace): string {
  const head = `trace ${traceId}\n${new Date(startMs).toISOString()} · ${ms(durationMs)} · ${count(spans, "span")} · ${count(errors, "error")}\n\n`;
  const rows = tree.map((span, at) => [
    `${branches(tree, at)}${span.missing ? `(missing parent ${span.spanId})` : nameOf(span)}`,
    `+${ms(span.startUs / 1000)}`,
    ms(span.durationUs / 1000),
    `self ${ms(span.selfUs / 1000)}`,
    marks(span),
  ]);
  const sums = totals.map(({ service, spans: of, errors: failed, selfUs, criticalUs }) => [
    service,
    String(of),
    String(failed),
    ms(selfUs / 1000),
    ms(criticalUs / 1000),
  ]);
  return `${head}${columns(rows)}\n${columns([["SERVICE", "SPANS", "ERRORS", "SELF", "CRITICAL"], ...sums])}`;
}

const ms = (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`;

const nameOf = ({ service, version, name }: TraceSpan): string =>
  `${service}${version === null ? "" : ` ${version}`}  ${name}`;

const marks = (span: TraceSpan): string =>
  [
    span.critical.length > 0 && !span.missing ? "*" : "",
    span.error ? `!${span.statusMessage && ` ${span.statusMessage}`}` : "",
    isClockApart(span) ? `~${ms(span.skewUs / 1000)}` : "",
  ]
    .filter(Boolean)
    .join(" ");

/** `│  └─ `: whether its parents, and it, have more siblings. */
function branches(tree: readonly TraceSpan[], at: number): string {
  const depth = tree[at]?.depth ?? 0;
  let text = "";
  for (let level = 1; level <= depth; level++) {
    const more = hasNext(tree, at, level);
    text += level === depth ? (more ? "├─ " : "└─ ") : more ? "│  " : "   ";
  }
  return text;
}

function hasNext(tree: readonly TraceSpan[], at: number, level: number): boolean {
  for (let next = at + 1; next < tree.length; next++) {
    const depth = tree[next]?.depth ?? 0;
    if (depth < level) return false;
    if (depth === level) return true;
  }
  return false;
}
