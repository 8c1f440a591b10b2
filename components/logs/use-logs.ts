"use client";
import { useCallback, useEffect, useReducer, useState } from "react";
import {
  type ApiError,
  type ApplicationLog,
  ApplicationLogEvents,
  ApplicationLogPage,
  type LogEntry,
  LogEvents,
  LogPage,
} from "../../server/contract/index.ts";
import { getJson, type Settled, toApiError } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";
import {
  type Line,
  type LinePage,
  type LogRows,
  type LogRowsAction,
  noRows,
  reduceRows,
  shownRows,
} from "./log-rows.ts";
import { useLogTail } from "./use-log-tail.ts";

const retryMs = 2000;

/** Where lines of a kind are read. */
export interface LineSource<L extends Line> {
  path: string;
  page: Parameters<typeof getJson<LinePage<L>>>[0];
  /** What one event of `<path>/live` says. */
  parse: (event: unknown) => readonly L[];
}

export const requestLines: LineSource<LogEntry> = {
  path: "/api/logs",
  page: LogPage,
  parse: (event) => LogEvents.safeParse(event).data?.entries ?? [],
};

export const applicationLines: LineSource<ApplicationLog> = {
  path: "/api/application-logs",
  page: ApplicationLogPage,
  parse: (event) => ApplicationLogEvents.safeParse(event).data?.entries ?? [],
};

export interface LogsState<L extends Line = Line> {
  entries: L[];
  next: string | null;
  page: Live<LinePage<L>>;
  heldCount: number;
  /** Null: not asked for. */
  tail: "connecting" | "open" | "failed" | null;
  loadOlder: () => void;
  olderError: ApiError | null;
  isLoading: boolean;
}

/** Lines by a query: a first page, older ones on request, and new ones while `follow`; these wait while `hold`. */
export function useLogs<L extends Line>(
  source: LineSource<L>,
  query: string,
  { follow, hold, initial }: { follow: boolean; hold: boolean; initial: Settled<LinePage<L>> | undefined },
): LogsState<L> {
  const [everyMs, setEveryMs] = useState<number | null>(null);
  const page = useLive({
    queryKey: [source.path, query],
    read: (signal) => getJson(source.page, `${source.path}?${query}`, signal),
    everyMs,
    initial,
  });
  // What was found stands still; what was not found, or could not be read, is looked for again.
  const isFound = page.error === null && (page.data?.entries.length ?? 0) > 0;
  useEffect(() => setEveryMs(isFound ? null : retryMs), [isFound]);

  const [rows, dispatch] = useReducer<LogRows<L>, [LogRowsAction<L>]>(reduceRows, noRows);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query has other rows
  useEffect(() => dispatch({ type: "reset" }), [query]);
  useEffect(() => {
    if (!hold) dispatch({ type: "release" });
  }, [hold]);
  const { refresh } = page;
  const tail = useLogTail({
    path: `${source.path}/live`,
    parse: source.parse,
    query,
    enabled: follow,
    onOpen: () => {
      dispatch({ type: "reset" });
      refresh();
    },
    onEntries: (entries) => dispatch({ type: "arrived", entries, held: hold }),
  });

  const shown = shownRows(page.data, rows);
  const [older, setOlder] = useState<{ busy: boolean; error: ApiError | null }>({ busy: false, error: null });
  const [pageAt, next] = [page.data?.at, shown.next];
  const loadOlder = useCallback(async () => {
    if (pageAt === undefined || next === null) return;
    setOlder({ busy: true, error: null });
    try {
      // The window of the first page: one that ends later would begin later, too, and leave lines out at its end.
      const range = /(?:^|&)(?:from|to)=/.test(query) ? "" : `&to=${pageAt + 1000}`;
      const found = await getJson(source.page, `${source.path}?${query}${range}&before=${next}`);
      dispatch({ type: "older", pageAt, page: found });
      setOlder({ busy: false, error: null });
    } catch (error) {
      setOlder({ busy: false, error: toApiError(error) });
    }
  }, [source, query, pageAt, next]);
  return {
    page,
    ...shown,
    heldCount: rows.heldCount,
    tail,
    loadOlder: () => void loadOlder(),
    olderError: older.error,
    isLoading: older.busy,
  };
}
