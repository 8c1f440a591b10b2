import type { TelemetryBatch } from "../../server/telemetry/store.ts";

/** What the collector would have written at the end of a second; `second` in Unix seconds. */
export const batchOf = (second: number, changes: Partial<TelemetryBatch>, id = second): TelemetryBatch => ({
  id,
  collector: {
    id: "bench",
    startedAtMs: 0,
    flushedAtMs: second * 1000,
    completeUntilMs: (second + 1) * 1000,
    settledUntilMs: Math.floor(second - 21) * 1000,
    freshAtMs: second * 1000,
    active: true,
  },
  rollups: [],
  samples: [],
  spans: [],
  logs: [],
  metrics: [],
  metricStates: [],
  senders: new Map(),
  claims: new Map(),
  ...changes,
});
