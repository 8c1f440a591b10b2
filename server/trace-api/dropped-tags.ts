import type { SpanRow } from "../query/reader.ts";

/** What a span had more of, by the names that OpenTelemetry has for it elsewhere. https://opentelemetry.io/docs/specs/otel/common/mapping-to-non-otlp/#dropped-attributes-count */
export const droppedTags = (leftOut: SpanRow["leftOut"]): [name: string, count: number][] =>
  Object.entries(leftOut ?? {})
    .filter(([, count]) => count > 0)
    .map(([what, count]) => [`otel.dropped_${what}_count`, count]);
