import { expect, it } from "vitest";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch, rollup } from "../records.ts";
import type { Opened } from "./contract.ts";
import { quantile, ratings, reviews, summary, t0, total } from "./rollup-rows.ts";

/** Seconds folded into ever coarser steps, and forgotten. */
export function compactionContract(opened: () => Opened): void {
  it("adds up a range by edge, code and flags, before and after compaction", async () => {
    const { store, reader } = opened();
    const rollups = Array.from({ length: 300 }, (_, i) =>
      rollup(i % 2 ? reviews : ratings, t0 + i, { code: i % 50 ? 200 : 503, latencies: [1 + (i % 50), 400] }),
    );
    await store.write(batch({ collector: { settledUntilMs: (t0 + 250) * 1000 }, rollups }));
    const range = { fromMs: (t0 + 7) * 1000, toMs: (t0 + 297) * 1000 };
    const rows = await reader.rollups({ ...range, stepSec: 1 });
    const expected = Map.groupBy(rows, (row) => `${row.edge.service} ${row.code}`);
    const pass = { nowMs: (t0 + 300) * 1000, settledUntilMs: (t0 + 250) * 1000, retention: defaultRetention };
    for (let round = 0; round < 2; round++) {
      const sums = await reader.sums(range);
      expect(sums).toHaveLength(expected.size);
      for (const sum of sums) {
        const parts = expected.get(`${sum.edge.service} ${sum.code}`) ?? [];
        expect([sum.count, sum.requestBytes]).toEqual([total(parts), 100 * total(parts)]);
        for (const q of [0, 0.5, 0.9, 1]) expect(quantile([sum], q)).toBe(quantile(parts, q));
      }
      const counts = await reader.sums({ ...range, withLatency: false });
      expect(total(counts)).toBe(total(rows));
      while ((await store.compact(pass)).more);
    }
  });

  it("adds records to seconds that were thought settled, at every step, also for who read them", async () => {
    const { store, reader } = opened();
    const settled = { settledUntilMs: (t0 + 7200) * 1000 };
    const first = Array.from({ length: 720 }, (_, i) => rollup(reviews, t0 + i * 10));
    await store.write(batch({ collector: settled, rollups: first }));
    const pass = { nowMs: (t0 + 7300) * 1000, ...settled, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    const range = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000 };
    const steps = [10, 60, 3600] as const;
    for (const stepSec of steps) expect(total(await reader.rollups({ ...range, stepSec }))).toBe(720);
    expect(total(await reader.sums(range))).toBe(720);
    await store.write(batch({ collector: settled, rollups: [rollup(ratings, t0 + 17), rollup(reviews, t0 + 7195)] }));
    while ((await store.compact(pass)).more);
    for (const stepSec of steps) expect(total(await reader.rollups({ ...range, stepSec }))).toBe(722);
    expect(total(await reader.sums(range))).toBe(722);
    const minute = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 60) * 1000, stepSec: 60 });
    expect(total(minute)).toBe(7);
  });

  it.each([10, 60, 3600] as const)("has the same sums at %i s, before and after compaction", async (stepSec) => {
    const { store, reader } = opened();
    const rollups = Array.from({ length: 7200 / 9 }, (_, i) =>
      rollup(i % 2 ? reviews : ratings, t0 + i * 9, { code: i % 7 ? 200 : 503, latencies: [1 + (i % 50), 400] }),
    );
    await store.write(batch({ rollups }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 7200) * 1000, stepSec };
    const before = await reader.rollups(range);
    expect(total(before)).toBe(rollups.length * 2);
    const pass = {
      nowMs: (t0 + 7300) * 1000,
      settledUntilMs: (t0 + 7000) * 1000,
      retention: { ...defaultRetention, steps: { ...defaultRetention.steps, 1: 86_400 } },
    };
    while ((await store.compact(pass)).more);
    await store.compact(pass);
    const after = await reader.rollups(range);
    expect(total(after)).toBe(total(before));
    for (const q of [0, 0.5, 0.9, 1]) expect(quantile(after, q)).toBe(quantile(before, q));
    const buckets = after.filter((row) => row.atMs < (t0 + 3600) * 1000).map((row) => row.atMs);
    expect(buckets.every((atMs) => atMs % (stepSec * 1000) === 0)).toBe(true);
    expect(new Set(buckets).size).toBe(3600 / stepSec);
  });

  it("forgets roll-ups past the retention of their step, once the next step has them", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [rollup(reviews, t0), rollup(reviews, t0 + 3600 * 24 * 40)] }));
    const nowMs = (t0 + 3600 * 24 * 40 + 4000) * 1000;
    const pass = { nowMs, settledUntilMs: nowMs - 60_000, retention: defaultRetention };
    while ((await store.compact(pass)).more);
    await store.compact(pass);
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 3600 * 24 * 41) * 1000, stepSec: 3600 });
    expect(summary(rows)).toEqual([[3600 * 24 * 40, "reviews", 200, "", 1]]);
  });
}
