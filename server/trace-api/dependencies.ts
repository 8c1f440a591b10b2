import { rememberEach } from "../lib/remember.ts";
import type { SpanRow } from "../query/reader.ts";
import { findTraces, type TraceReader } from "./find-traces.ts";

/** One service calls another, as often as the traces that were looked at say. */
export interface DependencyLink {
  parent: string;
  child: string;
  callCount: number;
  errorCount: number;
}

export type Dependencies = (range: { fromMs: number; toMs: number }) => Promise<DependencyLink[]>;

/** As many traces tell who calls whom; a page that draws it asks again and again. */
const newest = 1000;
const rememberMs = 5000;
const client = 3;
const producer = 4;

/** Who calls whom, by the newest 1,000 traces of the range. */
export const createDependencies = (reader: TraceReader): Dependencies =>
  rememberEach(
    async (range) => {
      const links = new Map<string, DependencyLink>();
      for (const spans of await findTraces(reader, { ...range, limit: newest })) addLinks(links, spans);
      return [...links.values()];
    },
    {
      ms: rememberMs,
      maxKeys: 8,
      keyOf: ({ fromMs, toMs }) => `${Math.floor(fromMs / rememberMs)} ${Math.floor(toMs / rememberMs)}`,
    },
  );

/**
 * A span of another service than its parent's is a call. A client's span with nothing below it called somebody who sends no spans, by the name
 * that it says. https://github.com/openzipkin/zipkin/blob/master/zipkin/src/main/java/zipkin2/internal/DependencyLinker.java
 */
function addLinks(links: Map<string, DependencyLink>, spans: readonly SpanRow[]): void {
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const parents = new Set(spans.map(({ parentSpanId }) => parentSpanId));
  for (const span of spans) {
    const parent = byId.get(span.parentSpanId);
    if (parent !== undefined && parent.service !== span.service) addCall(links, parent.service, span.service, span);
    const remote = span.attributes["peer.service"];
    const leaf = (span.kind === client || span.kind === producer) && !parents.has(span.spanId);
    if (leaf && typeof remote === "string" && remote !== "") addCall(links, span.service, remote, span);
  }
}

function addCall(links: Map<string, DependencyLink>, parent: string, child: string, { error }: SpanRow): void {
  const key = `${parent}\n${child}`;
  const link = links.get(key) ?? { parent, child, callCount: 0, errorCount: 0 };
  link.callCount += 1;
  if (error) link.errorCount += 1;
  links.set(key, link);
}
