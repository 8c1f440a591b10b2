"use client";
import { ApplicationLogPage } from "../../server/contract/index.ts";
import { getJson, type Settled } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";
import { longestWindowSec } from "../ui/time-range.ts";

/** Lines of applications; `everyMs` null: read once. */
export const useApplicationLogs = (
  query: string,
  {
    everyMs,
    initial,
    enabled = true,
  }: { everyMs: number | null; initial?: Settled<ApplicationLogPage> | undefined; enabled?: boolean },
): Live<ApplicationLogPage> =>
  useLive({
    queryKey: ["application-logs", query],
    read: (signal) => getJson(ApplicationLogPage, `/api/application-logs?${query}`, signal),
    everyMs,
    initial,
    enabled,
  });

/** All lines of one trace, however long ago it was. */
export const useLinesOfTrace = (traceId: string, enabled = true): Live<ApplicationLogPage> =>
  useApplicationLogs(`${new URLSearchParams({ trace: traceId, window: String(longestWindowSec), limit: "500" })}`, {
    everyMs: 5000,
    enabled: enabled && traceId !== "",
  });
