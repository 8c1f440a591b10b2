import { HttpError } from "../telemetry/http-error.ts";
import type { AskedFor, Endpoint, Endpoints, HttpAnswer } from "../telemetry/http-server.ts";
import { json, required, wholeNumber } from "./ask.ts";
import { findTraces, shownTraceId, storedTraceId } from "./find-traces.ts";
import { jaegerSearch } from "./jaeger-search.ts";
import { jaegerTrace } from "./jaeger-trace.ts";
import type { TraceApiOptions } from "./zipkin-api.ts";

const dayMs = 86_400_000;
const maxIds = 100;

/**
 * The HTTP API that Jaeger's page and Grafana's Jaeger data source ask.
 * https://github.com/jaegertracing/jaeger/blob/main/cmd/jaeger/internal/extension/jaegerquery/internal/http_handler.go
 */
export function jaegerApi({ reader, dependencies, now }: TraceApiOptions): Endpoints {
  const operations = async (service: string): Promise<string[]> => {
    const known = await reader.operations();
    return known.find((row) => row.service === service)?.operations ?? [];
  };
  const get = (answer: (asked: AskedFor) => Promise<HttpAnswer>): Endpoint => ({ GET: answer, failure });
  return {
    "/api/services": get(async () => list((await reader.operations()).map(({ service }) => service))),
    "/api/services/:service/operations": get(async ({ params: { service = "" } }) => list(await operations(service))),
    // Which kinds of spans an operation has is not kept: an empty kind is any.
    "/api/operations": get(async ({ query }) =>
      list((await operations(required(query, "service"))).map((name) => ({ name, spanKind: "" }))),
    ),
    "/api/traces": get(async ({ query }) => {
      const ids = query.getAll("traceID");
      if (ids.length > 0) return tracesOf(ids);
      const search = jaegerSearch(query, now());
      const found = await findTraces(reader, search.query, search.matches);
      return structured(found.map((spans) => jaegerTrace(spans, true)));
    }),
    "/api/traces/:id": get(async ({ params: { id = "" }, query }) => {
      const spans = await reader.trace(idOf(id));
      if (spans.length === 0) throw new HttpError(404, "trace not found");
      return structured([jaegerTrace(spans, query.get("raw") !== "true")]);
    }),
    "/api/dependencies": get(async ({ query }) => {
      const toMs = wholeNumber(query, "endTs") ?? now();
      const links = await dependencies({ fromMs: toMs - (wholeNumber(query, "lookback") ?? dayMs), toMs });
      const service = query.get("service");
      const shown = links.filter(({ parent, child }) => !service || parent === service || child === service);
      return structured(shown.map(({ parent, child, callCount }) => ({ parent, child, callCount })));
    }),
    "/": { GET: () => ({ type: "text/plain; charset=utf-8", body: welcome }) },
  };

  async function tracesOf(ids: readonly string[]): Promise<HttpAnswer> {
    if (ids.length > maxIds) throw new HttpError(400, `at most ${maxIds} traceID parameters`);
    const data = [];
    const errors = [];
    for (const id of ids) {
      const spans = await reader.trace(idOf(id));
      if (spans.length > 0) data.push(jaegerTrace(spans, true));
      else errors.push({ msg: "trace not found", traceID: shownTraceId(idOf(id)) });
    }
    return structured(data, { errors: errors.length > 0 ? errors : null });
  }
}

const welcome =
  "This is Limpid's answer to Jaeger's query API, for Grafana and scripts; its own page is the dashboard's.\n";

const structured = (data: unknown, more: { total?: number; errors?: unknown } = {}): HttpAnswer =>
  json({ data, total: 0, limit: 0, offset: 0, errors: null, ...more });

const list = (names: readonly unknown[]): HttpAnswer => structured(names, { total: names.length });

const failure = (code: number, msg: string): HttpAnswer => structured(null, { errors: [{ code, msg }] });

function idOf(id: string): string {
  const found = storedTraceId(id);
  if (found === undefined) throw new HttpError(400, `malformed trace id: ${id}`);
  return found;
}
