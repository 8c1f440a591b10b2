import type { ApplicationLog, Trace } from "../../server/contract/index.ts";

/** A line of an application on a span's bar. */
export interface LogMark {
  id: number;
  /** Microseconds since the trace's start, with the span's own correction of clocks. */
  atUs: number;
  severity: number;
  body: string;
}

/** What applications wrote, by the `id` of the span in which they did. Lines that name no span of the trace stand on none. */
export function logMarks(trace: Trace, lines: readonly ApplicationLog[]): ReadonlyMap<string, LogMark[]> {
  const marks = new Map<string, LogMark[]>();
  const bySpan = Map.groupBy(lines, ({ spanId }) => spanId);
  for (const span of trace.tree) {
    const own = span.missing ? [] : (bySpan.get(span.spanId) ?? []);
    if (own.length === 0) continue;
    bySpan.delete(span.spanId);
    marks.set(
      span.id,
      own
        .map(({ id, at, severity, body }) => ({ id, severity, body, atUs: (at - trace.startMs) * 1000 + span.skewUs }))
        .toSorted((a, b) => a.atUs - b.atUs),
    );
  }
  return marks;
}
