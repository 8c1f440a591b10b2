import { expect, it } from "vitest";
import { silentLogger } from "../../lib/logger.ts";
import type { TelemetryReader } from "../../query/reader.ts";
import { defaultLimits } from "../../telemetry/collector-limits.ts";
import { Ingest } from "../../telemetry/ingest.ts";
import { ManualClock } from "../../telemetry/testing/manual-clock.ts";
import type { Step } from "../../wire/retention.ts";
import { openSqliteTelemetryReader } from "./sqlite-reader.ts";
import { openSqliteTelemetryStore } from "./sqlite-store.ts";
import { edge, sample } from "./testing/records.ts";
import { temporaryDatabase } from "./testing/temporary-database.ts";

const t0 = 1_767_225_600;

async function total(reader: TelemetryReader, stepSec: Step, fromSec = t0, toSec = t0 + 3600): Promise<number> {
  const rows = await reader.rollups({ fromMs: fromSec * 1000, toMs: toSec * 1000, stepSec });
  return rows.reduce((sum, row) => sum + row.count, 0);
}

it("has every request of twenty-five minutes at each step, also for a reader that looked on all the while", async () => {
  const { path, remove } = await temporaryDatabase();
  const store = await openSqliteTelemetryStore({ path });
  const looking = await openSqliteTelemetryReader({ path });
  const clock = new ManualClock(t0 * 1000);
  const ingest = new Ingest({ id: "c", store, clock, logger: silentLogger, limits: defaultLimits });
  const reviews = edge("productpage", "reviews/v1");
  let sent = 0;
  for (let second = 0; second < 1500; second += 2) {
    // Some are late, one in a while by more than the bound.
    for (const agoMs of [100, 900, 15_000, second % 100 ? 3000 : 90_000]) {
      ingest.records([sample(reviews, clock.now() - agoMs)]);
      sent++;
    }
    await clock.advance(2000);
    if (second % 10 === 0) await total(looking, 1, t0 + second - 60, t0 + second);
  }
  await clock.advance(60_000);
  const fresh = await openSqliteTelemetryReader({ path });
  for (const step of [10, 60, 3600] as const) {
    expect(await total(fresh, step, t0 - 3600, t0 + 7200), `step ${step}`).toBe(sent);
    expect(await total(looking, step, t0 - 3600, t0 + 7200), `step ${step}`).toBe(sent);
  }
  const lastMinutes = [t0 + 1200, t0 + 1500] as const;
  expect(await total(looking, 1, ...lastMinutes)).toBe(await total(fresh, 1, ...lastMinutes));
  expect(await total(fresh, 1, t0, t0 + 500), "seconds are forgotten after a quarter of an hour").toBe(0);
  expect(ingest.stats().lateRecords).toBe(15);
  await ingest.stop();
  for (const each of [fresh, looking, store]) await each.close();
  await remove();
}, 60_000);
