import { setImmediate as nextTurn } from "node:timers/promises";
import type { SpanRow, TelemetryReader, TraceQuery } from "../query/reader.ts";

export type TraceReader = Pick<TelemetryReader, "traces" | "trace" | "operations">;

/** Bounds of one search: a client that asks for everything gets the newest of it. */
const limits = { page: 100, lookedAt: 2000, spans: 100_000 };
/** Reads are synchronous; in between, what comes in is taken in. */
const turnEvery = 10;

/**
 * The spans of the newest traces that the store finds and `matches` agrees to, trace by trace, newest first. At most 2,000 are looked at, so
 * that a filter the store doesn't know ends too.
 */
export async function findTraces(
  reader: TraceReader,
  query: TraceQuery,
  matches: (spans: readonly SpanRow[]) => boolean = () => true,
): Promise<SpanRow[][]> {
  const found: SpanRow[][] = [];
  const seen = new Set<string>();
  let { toMs } = query;
  let spansHeld = 0;
  while (found.length < query.limit && seen.size < limits.lookedAt) {
    const rows = await reader.traces({ ...query, toMs, limit: limits.page });
    const fresh = rows.filter(({ traceId }) => !seen.has(traceId));
    for (const { traceId } of fresh) {
      seen.add(traceId);
      if (seen.size % turnEvery === 0) await nextTurn();
      const spans = await reader.trace(traceId);
      if (spans.length === 0 || !matches(spans)) continue;
      found.push(spans);
      spansHeld += spans.length;
      if (found.length >= query.limit || spansHeld >= limits.spans) return found;
    }
    const last = rows.at(-1);
    if (last === undefined || fresh.length === 0 || rows.length < limits.page) break;
    toMs = last.startMs + 0.001; // others may have begun in the same microsecond
  }
  return found;
}

/** The store's form of an id of 64 or 128 bits; undefined when it is none. */
export const storedTraceId = (id: string): string | undefined =>
  /^[0-9a-f]{1,32}$/i.test(id) && !/^0+$/.test(id) ? id.toLowerCase().padStart(32, "0") : undefined;

/** As Zipkin and Jaeger write ids: those of 64 bits in sixteen digits. */
export const shownTraceId = (id: string): string => (id.startsWith("0".repeat(16)) ? id.slice(16) : id);
