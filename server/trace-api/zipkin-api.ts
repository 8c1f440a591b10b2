import { remember } from "../lib/remember.ts";
import type { SpanRow } from "../query/reader.ts";
import { HttpError } from "../telemetry/http-error.ts";
import type { AskedFor, Endpoint, Endpoints, HttpAnswer } from "../telemetry/http-server.ts";
import { json, required, wholeNumber } from "./ask.ts";
import type { Dependencies } from "./dependencies.ts";
import { findTraces, storedTraceId, type TraceReader } from "./find-traces.ts";
import { zipkinSearch } from "./zipkin-search.ts";
import { zipkinSpan, zipkinTags } from "./zipkin-span.ts";

export interface TraceApiOptions {
  reader: TraceReader;
  dependencies: Dependencies;
  /** Unix milliseconds. */
  now(): number;
}

const dayMs = 86_400_000;
/** What names are suggested by. */
const newestTraces = 200;
const rememberMs = 10_000;
/** A tag of more values than these is no use in a list. */
const maxValues = 50;

/**
 * Zipkin's query API: what its page and Grafana's Zipkin data source ask. Failures are a line of text, as there.
 * https://github.com/openzipkin/zipkin/blob/master/zipkin-server/src/main/java/zipkin2/server/internal/ZipkinQueryApiV2.java
 */
export function zipkinApi({ reader, dependencies, now }: TraceApiOptions): Endpoints {
  const latest = remember(
    () => findTraces(reader, { fromMs: now() - dayMs, toMs: now() + 1000, limit: newestTraces }),
    rememberMs,
  );
  const operations = async (service: string): Promise<string[]> => {
    const known = await reader.operations();
    return known.find((row) => row.service === service)?.operations ?? [];
  };
  const stored = async (id: string): Promise<SpanRow[]> => reader.trace(idOf(id));
  const get = (answer: (asked: AskedFor) => Promise<HttpAnswer>): Endpoint => ({ GET: answer, failure });
  return {
    "/api/v2/services": get(async () => json((await reader.operations()).map(({ service }) => service).toSorted())),
    "/api/v2/spans": get(async ({ query }) => json((await operations(required(query, "serviceName"))).toSorted())),
    "/api/v2/remoteServices": get(async ({ query }) => {
      const service = required(query, "serviceName");
      const own = (await latest()).flat().filter((span) => span.service === service);
      return json(sorted(own.map(({ attributes }) => attributes["peer.service"])));
    }),
    "/api/v2/traces": get(async ({ query }) => {
      const search = zipkinSearch(query, now());
      return json((await findTraces(reader, search.query, search.matches)).map((spans) => spans.map(zipkinSpan)));
    }),
    "/api/v2/trace/:id": get(async ({ params: { id = "" } }) => {
      const spans = await stored(id);
      if (spans.length === 0) throw new HttpError(404, `${id} not found`);
      return json(spans.map(zipkinSpan));
    }),
    "/api/v2/traceMany": get(async ({ query }) => {
      const traces = [];
      for (const id of severalIds(query.get("traceIds") ?? "")) traces.push(await stored(id));
      return json(traces.filter((spans) => spans.length > 0).map((spans) => spans.map(zipkinSpan)));
    }),
    "/api/v2/dependencies": get(async ({ query }) => {
      required(query, "endTs");
      const toMs = wholeNumber(query, "endTs") ?? 0;
      const links = await dependencies({ fromMs: toMs - (wholeNumber(query, "lookback") ?? dayMs), toMs });
      return json(links.map(({ errorCount, ...link }) => ({ ...link, ...(errorCount > 0 && { errorCount }) })));
    }),
    "/api/v2/autocompleteKeys": get(async () => {
      const values = tagValues(await latest());
      return json([...values].flatMap(([key, { size }]) => (size <= maxValues ? key : [])).toSorted());
    }),
    "/api/v2/autocompleteValues": get(async ({ query }) => {
      const values = tagValues(await latest()).get(required(query, "key"));
      return json([...(values ?? [])].toSorted().slice(0, maxValues));
    }),
  };
}

const failure = (_: number, message: string): HttpAnswer => ({
  type: "text/plain; charset=utf-8",
  body: `${message}\n`,
});

function idOf(id: string): string {
  const found = storedTraceId(id);
  if (found === undefined) throw new HttpError(400, `${id} should be lower-hex encoded with no prefix`);
  return found;
}

const maxIds = 1000;

function severalIds(text: string): string[] {
  const ids = text.split(",").filter((id) => id !== "");
  if (ids.length === 0) throw new HttpError(400, "traceIds parameter is empty");
  if (ids.length > maxIds) throw new HttpError(400, `traceIds parameter has more than ${maxIds} ids`);
  const known = new Set<string>();
  for (const id of ids) {
    if (known.has(idOf(id))) throw new HttpError(400, `redundant traceId: ${id}`);
    known.add(idOf(id));
  }
  if (known.size === 1) throw new HttpError(400, "Use /api/v2/trace/{traceId} endpoint to retrieve a single trace");
  return ids;
}

function tagValues(traces: readonly (readonly SpanRow[])[]): Map<string, Set<string>> {
  const values = new Map<string, Set<string>>();
  for (const span of traces.flat()) {
    for (const [key, value] of Object.entries(zipkinTags(span))) {
      const of = values.get(key) ?? new Set();
      if (of.size <= maxValues) of.add(value);
      values.set(key, of);
    }
  }
  return values;
}

const sorted = (names: readonly unknown[]): string[] =>
  [...new Set(names.filter((name): name is string => typeof name === "string" && name !== ""))].toSorted();
