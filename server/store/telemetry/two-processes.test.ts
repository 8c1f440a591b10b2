import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { defaultRetention } from "../../wire/retention.ts";
import { openSqliteTelemetryReader } from "./sqlite-reader.ts";
import { openSqliteTelemetryStore } from "./sqlite-store.ts";
import { batch, edge, rollup } from "./testing/records.ts";
import { temporaryDatabase } from "./testing/temporary-database.ts";

const t0 = 1_767_225_600;
const all = { fromMs: t0 * 1000, toMs: (t0 + 86_400) * 1000 };
let database: Awaited<ReturnType<typeof temporaryDatabase>>;
beforeEach(async () => {
  database = await temporaryDatabase();
});
afterEach(() => database.remove());

it("is read while another process writes, sees whole batches only, and survives the writer's death", async () => {
  const script = join(import.meta.dirname, "testing/writer-process.ts");
  const reader = await openSqliteTelemetryReader({ path: database.path });
  const writer = spawn(process.execPath, [script, database.path, String(t0)], { stdio: ["ignore", "pipe", "inherit"] });
  const exited = once(writer, "exit");
  try {
    let seen = 0;
    while (seen < 600) {
      const rows = await reader.rollups({ ...all, stepSec: 1 });
      expect(rows.length % 3).toBe(0);
      expect(rows.length).toBeGreaterThanOrEqual(seen);
      seen = rows.length;
      if (seen > 0) expect(await reader.collectors()).toHaveLength(1);
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  } finally {
    writer.kill("SIGKILL");
    await exited;
  }
  const before = await reader.rollups({ ...all, stepSec: 1 });
  expect(before.length % 3).toBe(0);
  const next = await openSqliteTelemetryStore({ path: database.path });
  await next.write(batch({ rollups: [rollup(edge("productpage", "reviews/v1"), t0 + 80_000)] }));
  expect(await reader.rollups({ ...all, stepSec: 1 })).toHaveLength(before.length + 1);
  expect((await reader.logs({ ...all, limit: 1_000_000 })).length).toBe(before.length / 3);
  await next.close();
  await reader.close();
});

it("may be opened first by several at once", async () => {
  const opened = await Promise.all([
    openSqliteTelemetryStore({ path: database.path }),
    openSqliteTelemetryReader({ path: database.path }),
    openSqliteTelemetryReader({ path: database.path }),
  ]);
  for (const each of opened) await each.close();
});

it("counts nothing twice when a compaction is repeated over buckets it had already made", async () => {
  const store = await openSqliteTelemetryStore({ path: database.path });
  const reader = await openSqliteTelemetryReader({ path: database.path });
  const key = edge("productpage", "reviews/v1");
  await store.write(batch({ rollups: Array.from({ length: 100 }, (_, i) => rollup(key, t0 + i)) }));
  const retention = { ...defaultRetention, steps: { ...defaultRetention.steps, 1: 86_400 * 365 * 10 } };
  const pass = { nowMs: (t0 + 200) * 1000, settledUntilMs: (t0 + 150) * 1000, retention };
  while ((await store.compact(pass)).more);
  // As after a restore of an older mark: the same buckets come again.
  const { openTelemetryFile } = await import("./database.ts");
  const client = await openTelemetryFile({ path: database.path });
  client.exec("DELETE FROM compaction");
  while ((await store.compact(pass)).more);
  const rows = client.all("SELECT count(*) AS buckets FROM rollup WHERE step = 10");
  expect(rows[0]).toMatchObject({ buckets: 10 });
  client.close();
  const read = await reader.rollups({ ...all, stepSec: 10 });
  expect(read.reduce((sum, row) => sum + row.count, 0)).toBe(100);
  await reader.close();
  await store.close();
});
