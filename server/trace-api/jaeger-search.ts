import { parseGoDuration } from "../lib/go-duration.ts";
import type { SpanRow } from "../query/reader.ts";
import { HttpError } from "../telemetry/http-error.ts";
import { limitOf, required, wholeNumber } from "./ask.ts";
import { jaegerTags } from "./jaeger-trace.ts";
import type { TraceSearch } from "./zipkin-search.ts";

const lookbackMs = 2 * 86_400_000;

/**
 * `GET /api/traces`: one span meets every condition. https://github.com/jaegertracing/jaeger/blob/main/cmd/jaeger/internal/extension/jaegerquery/internal/query_parser.go
 */
export function jaegerSearch(asked: URLSearchParams, nowMs: number): TraceSearch {
  const service = required(asked, "service");
  const operation = asked.get("operation") || undefined;
  const tags = tagsOf(asked);
  const min = durationMs(asked, "minDuration");
  const max = durationMs(asked, "maxDuration");
  if (min !== undefined && max !== undefined && max < min) {
    throw new HttpError(400, "'maxDuration' should be greater than 'minDuration'");
  }
  const isMatch = (span: SpanRow): boolean =>
    span.service === service &&
    (operation === undefined || span.name === operation) &&
    (min === undefined || span.durationUs >= min * 1000) &&
    (max === undefined || span.durationUs <= max * 1000) &&
    hasAll(span, tags);
  const toMs = microseconds(asked, "end") ?? nowMs + 1000;
  return {
    query: {
      fromMs: microseconds(asked, "start") ?? nowMs - lookbackMs,
      toMs: toMs + 0.001,
      limit: limitOf(asked, 100),
      service,
      ...(operation !== undefined && { operation }),
      ...(min !== undefined && { minDurationMs: min }),
      ...(tags.get("error") === "true" && { errorsOnly: true }),
    },
    matches: (spans) => spans.some(isMatch),
  };
}

function hasAll(span: SpanRow, tags: ReadonlyMap<string, string>): boolean {
  if (tags.size === 0) return true;
  const own = new Map(jaegerTags(span).map(({ key, value }) => [key, String(value)]));
  return [...tags].every(([key, value]) => own.get(key) === value || String(span.resource[key]) === value);
}

/** `tag=key:value`, any number of them, and `tags={"key":"value"}`. */
function tagsOf(asked: URLSearchParams): Map<string, string> {
  const tags = new Map<string, string>();
  for (const text of asked.getAll("tag")) {
    const at = text.indexOf(":");
    if (at < 1) throw new HttpError(400, `malformed 'tag' parameter, expecting key:value, received: ${text}`);
    tags.set(text.slice(0, at), text.slice(at + 1));
  }
  for (const text of asked.getAll("tags")) for (const [key, value] of jsonTags(text)) tags.set(key, value);
  return tags;
}

function jsonTags(text: string): [string, string][] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new HttpError(400, `malformed 'tags' parameter, expecting a JSON object of strings, received: ${text}`);
  }
  return Object.entries(value).map(([key, each]) => [key, String(each)]);
}

function durationMs(asked: URLSearchParams, name: string): number | undefined {
  const text = asked.get(name);
  if (!text) return undefined;
  const ms = parseGoDuration(text);
  if (ms === undefined || ms < 0) {
    throw new HttpError(400, `unable to parse param '${name}': ${text} must be a duration such as 250ms or 1.5s`);
  }
  return ms;
}

const microseconds = (asked: URLSearchParams, name: string): number | undefined => {
  const us = wholeNumber(asked, name);
  return us === undefined ? undefined : us / 1000;
};
