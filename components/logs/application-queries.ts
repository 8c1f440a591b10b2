"use client";
import { ApplicationLogPage } from "../../server/contract/index.ts";
import { getJson, type Settled } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";

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

/** As far back as anything is kept; a trace is rarely longer than seconds, and its lines may be late. */
const everSec = 30 * 86_400;

/** All lines of one trace. */
export const useLinesOfTrace = (traceId: string, enabled = true): Live<ApplicationLogPage> =>
  useApplicationLogs(`${new URLSearchParams({ trace: traceId, window: String(everSec), limit: "500" })}`, {
    everyMs: 5000,
    enabled: enabled && traceId !== "",
  });
