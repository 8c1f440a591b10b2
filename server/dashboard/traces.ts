import {
  DashboardError,
  type Trace,
  type TraceList,
  type TraceOperations,
  type TraceSearch,
  told,
} from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";
import { buildTrace } from "../query/trace-tree.ts";
import { invalid } from "./parse.ts";

/** W3C's form; senders of Zipkin's may have half of it. Throws INVALID. https://www.w3.org/TR/trace-context/#trace-id */
export function traceIdOf(id: string): string {
  if (!/^(?:[0-9a-f]{16}|[0-9a-f]{32})$/i.test(id)) throw invalid(told("asked-trace-id", {}));
  return id.toLowerCase().padStart(32, "0");
}

/** Traces as the API gives them. `now` is Unix milliseconds. */
export function createTraces(queries: () => Promise<Queries>, now: () => number) {
  return {
    async traces(search: TraceSearch): Promise<TraceList> {
      const { service, operation, min, max, errors, tag, window, limit } = search;
      // What a clock of another machine says may be a little ahead.
      const toMs = search.to ?? now() + 1000;
      const fromMs = search.from ?? toMs - window * 1000;
      const traces = await (await queries()).traces({
        fromMs,
        toMs,
        limit,
        ...(service && { service }),
        ...(operation && { operation }),
        ...(min !== undefined && { minDurationMs: min }),
        ...(max !== undefined && { maxDurationMs: max }),
        ...(errors && { errorsOnly: true }),
        ...(tag && Object.keys(tag).length > 0 && { tags: tag }),
      });
      return { fromMs, toMs, traces, full: traces.length === limit };
    },
    async trace(id: string): Promise<Trace> {
      const trace = buildTrace(await (await queries()).trace(id));
      if (trace) return trace;
      throw new DashboardError({ code: "NOT_FOUND", ...told("no-trace", { id }) });
    },
    traceOperations: async (): Promise<TraceOperations> => ({ services: await (await queries()).operations() }),
  };
}
