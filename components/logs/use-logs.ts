"use client";
import { useCallback, useEffect, useReducer, useState } from "react";
import { type ApiError, LogPage } from "../../server/contract/index.ts";
import { getJson, type Settled, toApiError } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";
import { noRows, reduceRows, shownRows } from "./log-rows.ts";
import { useLogTail } from "./use-log-tail.ts";

const retryMs = 2000;

export interface LogsState extends ReturnType<typeof shownRows> {
  page: Live<LogPage>;
  heldCount: number;
  /** Null: not asked for. */
  tail: "connecting" | "open" | "failed" | null;
  loadOlder: () => void;
  olderError: ApiError | null;
  isLoading: boolean;
}

/** Lines by a query: a first page, older ones on request, and new ones while `follow`; these wait while `hold`. */
export function useLogs(
  query: string,
  { follow, hold, initial }: { follow: boolean; hold: boolean; initial: Settled<LogPage> | undefined },
): LogsState {
  const [everyMs, setEveryMs] = useState<number | null>(null);
  const page = useLive({
    queryKey: ["logs", query],
    read: (signal) => getJson(LogPage, `/api/logs?${query}`, signal),
    everyMs,
    initial,
  });
  // What was found stands still; what was not found, or could not be read, is looked for again.
  const isFound = page.error === null && (page.data?.entries.length ?? 0) > 0;
  useEffect(() => setEveryMs(isFound ? null : retryMs), [isFound]);

  const [rows, dispatch] = useReducer(reduceRows, noRows);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another query has other rows
  useEffect(() => dispatch({ type: "reset" }), [query]);
  useEffect(() => {
    if (!hold) dispatch({ type: "release" });
  }, [hold]);
  const { refresh } = page;
  const tail = useLogTail({
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
      const found = await getJson(LogPage, `/api/logs?${query}${range}&before=${next}`);
      dispatch({ type: "older", pageAt, page: found });
      setOlder({ busy: false, error: null });
    } catch (error) {
      setOlder({ busy: false, error: toApiError(error) });
    }
  }, [query, pageAt, next]);
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
