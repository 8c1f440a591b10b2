import { type ApplicationLogPage, type ApplicationLogSearch, severities } from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";

/** Applications' own logs as the API gives them. `now` is Unix milliseconds. */
export function createApplicationLogs(queries: () => Promise<Pick<Queries, "applicationLogs">>, now: () => number) {
  return async (search: ApplicationLogSearch): Promise<ApplicationLogPage> => {
    const { service, severity, text, trace, window, limit } = search;
    // What a clock of another machine says may be a little ahead.
    const toMs = search.to ?? now() + 1000;
    const rows = await (await queries()).applicationLogs({
      fromMs: search.from ?? toMs - window * 1000,
      toMs,
      limit,
      ...(service && { service }),
      ...(severity && { minSeverity: severities[severity] }),
      ...(text && { text }),
      ...(trace && { traceId: trace.toLowerCase().padStart(32, "0") }),
    });
    return {
      at: now(),
      lines: rows.map(({ atUs, ...row }) => ({ ...row, at: atUs / 1000 })),
      full: rows.length === limit,
    };
  };
}
