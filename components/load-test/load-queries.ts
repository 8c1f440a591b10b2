"use client";
import { z } from "zod";
import { LoadReport, LoadRun, LoadTargets, LoadTests } from "../../server/contract/index.ts";
import { getJson, type Settled, sendJson } from "../lib/api.ts";
import { type Live, useLive } from "../lib/live.ts";

export const useLoadTests = (initial?: Settled<LoadTests>): Live<LoadTests> =>
  useLive({
    queryKey: ["load-tests"],
    read: (signal) => getJson(LoadTests, "/api/load-tests", signal),
    everyMs: 1000,
    initial,
  });

export const useLoadTargets = (initial?: Settled<LoadTargets>): Live<LoadTargets> =>
  useLive({
    queryKey: ["load-targets"],
    read: (signal) => getJson(LoadTargets, "/api/load-targets", signal),
    everyMs: 10_000,
    initial,
  });

/** One that is over does not change. */
export const useLoadReport = (id: string | null): Live<LoadReport> =>
  useLive({
    queryKey: ["load-test", id],
    read: (signal) => getJson(LoadReport, `/api/load-tests/${encodeURIComponent(id ?? "")}`, signal),
    everyMs: null,
    enabled: id !== null,
  });

/** All throw `ApiFailure`. */
export const startLoadTest = (plan: unknown): Promise<LoadRun> => sendJson(LoadRun, "POST", "/api/load-tests", plan);
export const stopLoadTest = (): Promise<unknown> => sendJson(z.unknown(), "DELETE", "/api/load-tests/running");
export const forgetLoadTest = (id: string): Promise<unknown> =>
  sendJson(z.unknown(), "DELETE", `/api/load-tests/${encodeURIComponent(id)}`);
