import {
  type ApplicationLog,
  type ApplicationLogEvents,
  type ApplicationLogPage,
  type ApplicationLogSearch,
  severities,
} from "../contract/index.ts";
import type { Queries } from "../query/queries.ts";
import type { ApplicationLogFilter, ApplicationLogRow } from "../query/reader.ts";
import { EventStream } from "./event-stream.ts";

type Read = Pick<Queries, "applicationLogs" | "followApplicationLogs">;

/** As `followLogs` has it. */
const mostAtOnce = 500;

/** Applications' own logs as the API gives them. `now` is Unix milliseconds. */
export function createApplicationLogs(queries: () => Promise<Read>, now: () => number) {
  return {
    async applicationLogs(search: ApplicationLogSearch): Promise<ApplicationLogPage> {
      const { window, limit, before } = search;
      // What a clock of another machine says may be a little ahead.
      const toMs = search.to ?? now() + 1000;
      const rows = await (await queries()).applicationLogs({
        ...filterOf(search),
        fromMs: search.from ?? toMs - window * 1000,
        toMs,
        ...(before && { before: cursorOf(before) }),
        // One more than is shown tells whether there are more.
        limit: limit + 1,
      });
      const shown = rows.slice(0, limit);
      const last = rows.length > limit ? shown.at(-1) : undefined;
      return { at: now(), entries: shown.map(lineOf), next: last ? `${last.atUs}-${last.id}` : null };
    },
    /** What is written from now on; of the search, what chooses lines. */
    async liveApplicationLogs(search: ApplicationLogSearch): Promise<EventStream<ApplicationLogEvents>> {
      const ready = await queries();
      return new EventStream(async function* (signal) {
        for await (const rows of ready.followApplicationLogs(filterOf(search), signal)) {
          yield { entries: rows.map(lineOf).reverse(), leftOut: rows.length >= mostAtOnce };
        }
      });
    },
  };
}

const filterOf = ({ service, severity, text, trace }: ApplicationLogSearch): ApplicationLogFilter => ({
  ...(service && { service }),
  ...(severity && { minSeverity: severities[severity] }),
  ...(text && { text }),
  ...(trace && { traceId: trace.toLowerCase().padStart(32, "0") }),
});

function cursorOf(text: string): { atUs: number; id: number } {
  const [atUs = 0, id = 0] = text.split("-").map(Number);
  return { atUs, id };
}

const lineOf = ({ atUs, ...row }: ApplicationLogRow): ApplicationLog => ({ ...row, at: atUs / 1000 });
