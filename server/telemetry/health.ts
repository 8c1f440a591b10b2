import type { CollectorStats } from "./counters.ts";
import type { ExportStats } from "./export/exporter.ts";
import type { IgnoredLog } from "./ignored-logs.ts";
import type { StoreReplaced } from "./store.ts";
import type { SamplingStats } from "./tail-sampler.ts";

/** `GET /healthz` of the collector: 200 when it can write, 503 when it can't. */
export interface CollectorHealth extends WrittenHealth {
  /** What tail sampling kept and left out; null: every trace is kept. */
  sampling: SamplingStats | null;
  /** What is passed on to a backend, by signal. */
  exports: readonly ExportStats[];
}

interface WrittenHealth {
  /** What comes in can be written to the store. */
  ok: boolean;
  /** Why not; empty when it can. */
  message: string;
  /** Unix milliseconds; 0: nothing was written yet. */
  lastWriteMs: number;
  /** Of this run, the last time; null: what was written before is still there. */
  storeReplaced: StoreReplaced | null;
  /** Since the collector started. */
  failedFlushes: number;
  /** Detail that was given up under load; counts never are. */
  shed: { samples: number; spans: number; logs: number; metricPoints: number };
  lateRecords: number;
  /** Requests counted without their names, because there were too many different ones. */
  overflowedRecords: number;
  /** Requests whose caller was not believed to be who it said. */
  disbelievedCallers: number;
  misdatedRecords: number;
  /** Access log entries that count for nothing: all of them, and the proxies that most of them are from. */
  ignored: { entries: number; logs: readonly (IgnoredLog & { entries: number; lastAtMs: number })[] };
}

const maxListed = 20;

export const healthOf = (
  written: { ok: boolean; message: string; lastWriteMs: number },
  stats: CollectorStats,
  ignored: WrittenHealth["ignored"]["logs"],
  storeReplaced: StoreReplaced | null,
): WrittenHealth => ({
  ...written,
  storeReplaced,
  failedFlushes: stats.failedFlushes,
  shed: {
    samples: stats.shedSamples,
    spans: stats.shedSpans,
    logs: stats.shedLogs,
    metricPoints: stats.refusedMetricPoints,
  },
  lateRecords: stats.lateRecords,
  overflowedRecords: stats.overflowedRecords,
  disbelievedCallers: stats.disbelievedCallers,
  misdatedRecords: stats.misdatedRecords,
  ignored: { entries: stats.ignoredEntries, logs: ignored.slice(0, maxListed) },
});
