import type { SpanRow, TraceQuery } from "../query/reader.ts";
import { limitOf, wholeNumber } from "./ask.ts";
import { zipkinTags } from "./zipkin-span.ts";

const dayMs = 86_400_000;

export interface TraceSearch {
  query: TraceQuery;
  /** What of it the store can't tell. */
  matches(spans: readonly SpanRow[]): boolean;
}

/**
 * `GET /api/v2/traces`. Each condition may be met by another span of the service, as Zipkin has it.
 * https://github.com/openzipkin/zipkin/blob/master/zipkin/src/main/java/zipkin2/storage/QueryRequest.java
 */
export function zipkinSearch(asked: URLSearchParams, nowMs: number): TraceSearch {
  const get = (name: string): string | undefined => asked.get(name)?.trim() || undefined;
  const service = get("serviceName");
  const remote = get("remoteServiceName");
  const operation = named(get("spanName"));
  const terms = annotationTerms(get("annotationQuery"));
  const minUs = wholeNumber(asked, "minDuration");
  const maxUs = wholeNumber(asked, "maxDuration");
  const toMs = wholeNumber(asked, "endTs") ?? nowMs + 1000;
  const isLong = (span: SpanRow) =>
    (minUs === undefined || span.durationUs >= minUs) && (maxUs === undefined || span.durationUs <= maxUs);
  return {
    query: {
      toMs: toMs + 1, // a trace that begins at `endTs` is in
      fromMs: toMs - (wholeNumber(asked, "lookback") ?? dayMs),
      limit: limitOf(asked, 10),
      ...(service !== undefined && { service }),
      ...(operation !== undefined && { operation }),
      // A span can't be longer than its trace.
      ...(minUs !== undefined && { minDurationMs: minUs / 1000 }),
      ...(terms.some(({ key, value }) => key === "error" && value === undefined) && { errorsOnly: true }),
    },
    matches(spans) {
      const own = spans.filter((span) => service === undefined || span.service === service);
      return (
        own.some((span) => operation === undefined || span.name === operation) &&
        own.some((span) => remote === undefined || span.attributes["peer.service"] === remote) &&
        own.some(isLong) &&
        terms.every((term) => own.some((span) => has(span, term)))
      );
    },
  };
}

/** Zipkin's page asks for `all` when nothing was chosen. */
const named = (name: string | undefined): string | undefined => (name === "all" ? undefined : name);

interface Term {
  key: string;
  /** Left out: the tag, or an annotation of that text, is there. */
  value?: string;
}

/** `error and http.method=GET`. */
function annotationTerms(text: string | undefined): Term[] {
  if (text === undefined) return [];
  return text.split(" and ").flatMap((part) => {
    const at = part.indexOf("=");
    const key = (at < 0 ? part : part.slice(0, at)).trim();
    if (key === "") return [];
    return at < 0 ? { key } : { key, value: part.slice(at + 1).trim() };
  });
}

function has(span: SpanRow, { key, value }: Term): boolean {
  const tag = zipkinTags(span)[key];
  return value === undefined ? tag !== undefined || span.events.some(({ name }) => name === key) : tag === value;
}
