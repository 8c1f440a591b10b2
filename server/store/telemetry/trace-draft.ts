import type { SpanDetail, SpanRecord } from "../../telemetry/span.ts";
import { TermSet } from "./span-terms.ts";

/** Spans that came in one batch, of one trace. */
export interface TraceDraft {
  startUs: number;
  endUs: number;
  errors: number;
  /** `<service>\t<name>` each. */
  operations: Set<string>;
  terms: TermSet;
}

export const maxOperationChars = 4096;

/** As a search looks for them: each between two line ends. */
export const operationsText = (operations: ReadonlySet<string>): string =>
  `\n${[...operations].join("\n")}\n`.slice(0, maxOperationChars);

export function addTo(traces: Map<string, TraceDraft>, span: SpanRecord): void {
  const endUs = span.startUs + span.durationUs;
  let trace = traces.get(span.traceId);
  if (trace === undefined) {
    trace = { startUs: span.startUs, endUs, errors: 0, operations: new Set(), terms: new TermSet() };
    traces.set(span.traceId, trace);
  }
  trace.startUs = Math.min(trace.startUs, span.startUs);
  trace.endUs = Math.max(trace.endUs, endUs);
  if (span.error) trace.errors++;
  trace.operations.add(`${span.service}\t${span.name}`);
  trace.terms.add(span.attributes);
  trace.terms.add(span.resource);
}

/** Empty for the most spans, which have none of it. */
export function detailOf({ traceState, statusMessage, scope, events, links, leftOut }: SpanDetail): string {
  const named = scope.name !== "" || scope.attributes !== undefined;
  const many = events.length + links.length > 0 || leftOut !== undefined;
  if (traceState === "" && statusMessage === "" && !named && !many) return "";
  const detail: SpanDetail = { traceState, statusMessage, scope, events, links, ...(leftOut && { leftOut }) };
  return JSON.stringify(detail);
}

export const fromHex = (hex: string): Buffer => Buffer.from(hex, "hex");
