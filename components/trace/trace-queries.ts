"use client";
import { Trace, TraceList, TraceOperations } from "../../server/contract/index.ts";
import { getJson, type Settled } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";

const pace = 5000;

/** `follows`: what is new comes by itself. */
export const useTraces = (
  query: Record<string, string>,
  initial?: Settled<TraceList>,
  follows = true,
): Live<TraceList> =>
  useLive({
    queryKey: ["traces", query],
    read: (signal) => getJson(TraceList, `/api/traces?${new URLSearchParams(query)}`, signal),
    everyMs: follows ? pace : null,
    initial,
  });

/** Spans of one trace come from several senders, and late ones are added. */
export const useTrace = (id: string, initial?: Settled<Trace>, enabled = true): Live<Trace> =>
  useLive({
    queryKey: ["trace", id],
    read: (signal) => getJson(Trace, `/api/traces/${encodeURIComponent(id)}`, signal),
    everyMs: pace,
    initial,
    enabled,
  });

export const useTraceOperations = (): Live<TraceOperations> =>
  useLive({
    queryKey: ["trace-operations"],
    read: (signal) => getJson(TraceOperations, "/api/traces/operations", signal),
    everyMs: 30_000,
  });
