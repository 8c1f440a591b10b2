import { rmSync } from "node:fs";
import { afterEach, beforeEach, expect, it } from "vitest";
import { MemoryTelemetryStore } from "../store/telemetry/memory-store.ts";
import { openSqliteTelemetryReader } from "../store/telemetry/sqlite-reader.ts";
import { openSqliteTelemetryStore } from "../store/telemetry/sqlite-store.ts";
import { batch, edge, rollup } from "../store/telemetry/testing/records.ts";
import { seeded } from "../store/telemetry/testing/seeded.ts";
import { temporaryDatabase } from "../store/telemetry/testing/temporary-database.ts";
import { ManualClock } from "../telemetry/testing/manual-clock.ts";
import { flagBitsOf } from "../wire/response-flags.ts";
import { defaultRetention } from "../wire/retention.ts";
import { createQueries } from "./queries.ts";
import type { TelemetryReader } from "./reader.ts";

/** A full hour; Unix seconds. */
const t0 = 1_767_225_600;
const lateSec = 20;
const destination = { reporter: "destination" } as const;
const entry = edge("", "page", destination);
const edges = [
  entry,
  edge("page", "reviews/v1"),
  edge("page", "reviews/v1", destination),
  edge("page", "reviews/v2"),
  edge("reviews/v1", "ratings"),
  edge("load", "page"),
  edge("ratings", "db", { protocol: "tcp" }),
  edge("", "db", { ...destination, protocol: "tcp" }),
];

let database: Awaited<ReturnType<typeof temporaryDatabase>>;
beforeEach(async () => {
  database = await temporaryDatabase();
});
afterEach(() => database.remove());

/** Adds nothing up: every second that was written is a row of its own, as it came. */
function unfolded(store: MemoryTelemetryStore): TelemetryReader {
  return {
    rollups: (range) => store.rollups(range),
    sums: (range) => store.rollups({ ...range, stepSec: 1 }),
    collectors: () => store.collectors(),
    oldestAt: () => store.oldestAt(),
    gaps: (range) => store.gaps(range),
    logs: (query) => store.logs(query),
    newLogs: (query) => store.newLogs(query),
    traces: (query) => store.traces(query),
    trace: (id) => store.trace(id),
    operations: () => store.operations(),
    applicationLogs: (query) => store.applicationLogs(query),
    newApplicationLogs: (query) => store.newApplicationLogs(query),
    metricSeries: (query) => store.metricSeries(query),
    metrics: (query) => store.metrics(query),
    close: () => store.close(),
  };
}

it.each([1, 2])(
  "a graph of sums that are kept is the graph of all rows, whatever is late, asked or replaced (seed %i)",
  async (seed) => {
    const random = seeded(seed);
    const below = (n: number) => Math.floor(random() * n);
    const clock = new ManualClock(t0 * 1000);
    const store = await openSqliteTelemetryStore({ path: database.path });
    const reader = await openSqliteTelemetryReader({ path: database.path });
    const quick = createQueries({ reader, clock });
    let everything = new MemoryTelemetryStore();
    let begin = t0;
    let compared = 0;

    for (let second = t0; second < t0 + 1500; second++) {
      await clock.advance(1000);
      const rollups = Array.from({ length: below(6) }, () =>
        rollup(edges[below(edges.length)] ?? entry, Math.max(begin, second - (random() < 0.7 ? 0 : below(lateSec))), {
          code: random() < 0.8 ? 200 : 503,
          flags: random() < 0.9 ? 0 : flagBitsOf(["UF"]),
          latencies: Array.from({ length: 1 + below(4) }, () => random() * 100),
        }),
      );
      // Whoever looks at the oldest bucket finds it where the first second is.
      if (second === begin) rollups.push(rollup(entry, second));
      const settledUntilMs = (second - lateSec) * 1000;
      const state = { flushedAtMs: clock.now(), completeUntilMs: (second + 1) * 1000, settledUntilMs };
      const written = batch({ rollups, collector: { ...state, freshAtMs: second * 1000 } });
      await store.write(written);
      await everything.write(written);
      if (second % 30 === 0) {
        const pass = { nowMs: clock.now(), settledUntilMs, retention: defaultRetention };
        while ((await store.compact(pass)).more);
      }
      if (random() < 0.1) {
        const slow = createQueries({ reader: unfolded(everything), clock });
        const window = [7, 60, 300, 900, 3600][below(5)] ?? 60;
        const asked = random() < 0.5 ? { window } : { window, at: (second - below(second - begin + 1)) * 1000 };
        expect(await quick.graph(asked), JSON.stringify({ ...asked, now: second - t0 })).toEqual(
          await slow.graph(asked),
        );
        compared++;
      }
      if (second === t0 + 719) {
        for (const suffix of ["", "-wal", "-shm"]) rmSync(database.path + suffix);
        everything = new MemoryTelemetryStore();
        begin = second + 1;
      }
    }
    expect(compared).toBeGreaterThan(100);
    await reader.close();
    await store.close();
  },
  60_000,
);
