import { expect, it } from "vitest";
import { flagBitsOf } from "../../../../wire/response-flags.ts";
import { defaultRetention } from "../../../../wire/retention.ts";
import { batch, host, rollup, sample } from "../records.ts";
import type { Opened } from "./contract.ts";
import { quantile, ratings, reviews, summary, t0, total } from "./rollup-rows.ts";

/** Requests counted by edge and second. */
export function rollupContract(opened: () => Opened): void {
  it("gives back what was written, by range, with its edge, bytes and latencies", async () => {
    const { store, reader } = opened();
    const flags = flagBitsOf(["DI", "FI"]);
    expect(await reader.oldestAt()).toBe(null);
    await store.write(
      batch({
        rollups: [
          rollup(reviews, t0, { latencies: [10, 20, 30] }),
          rollup(reviews, t0, { code: 503, flags, latencies: [1] }),
          rollup(ratings, t0 + 1, { latencies: [5] }),
          rollup(ratings, t0 + 2),
        ],
      }),
    );
    expect(await reader.oldestAt()).toBe(t0 * 1000);
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 2) * 1000, stepSec: 1 });
    expect(summary(rows)).toEqual([
      [0, "reviews", 200, "", 3],
      [0, "reviews", 503, "DI,FI", 1],
      [1, "ratings", 200, "", 1],
    ]);
    const ok = rows.filter((row) => row.code === 200 && row.edge.service === host("reviews"));
    expect(ok[0]).toMatchObject({ edge: reviews, requestBytes: 300, responseBytes: 3000 });
    expect(quantile(ok, 0.5)).toBeCloseTo(20, 0);
  });

  it("gives back only rows of the edges that are asked for", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [rollup(reviews, t0), rollup(ratings, t0)] }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 } as const;
    const rows = await reader.rollups({ ...range, edges: (edge) => edge.service === host("ratings") });
    expect(summary(rows)).toEqual([[0, "ratings", 200, "", 1]]);
  });

  it("takes a range that ends within a second, as clocks have it", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [t0, t0 + 1, t0 + 2].map((second) => rollup(reviews, second)) }));
    const range = { fromMs: t0 * 1000 + 0.5, toMs: (t0 + 1) * 1000 + 772 };
    expect(total(await reader.sums(range))).toBe(1);
    expect(summary(await reader.rollups({ ...range, stepSec: 1 }))).toEqual([[1, "reviews", 200, "", 1]]);
  });

  it("keeps gRPC's statuses apart", async () => {
    const { store, reader } = opened();
    const grpc = { ...reviews, protocol: "grpc" as const };
    const rollups = [-1, 0, 14, 14].map((grpcStatus) => rollup(grpc, t0, { grpcStatus }));
    await store.write(batch({ rollups: rollups.slice(0, 3) }));
    await store.write(batch({ rollups: rollups.slice(3) }));
    const sums = await reader.sums({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000 });
    expect(sums.map((row) => [row.grpcStatus, row.count]).toSorted()).toEqual([
      [-1, 1],
      [0, 1],
      [14, 2],
    ]);
  });

  it("adds late records to a second already written", async () => {
    const { store, reader } = opened();
    await store.write(batch({ rollups: [rollup(reviews, t0, { latencies: [10, 10] })] }));
    await store.write(batch({ rollups: [rollup(reviews, t0, { latencies: [90] })] }));
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 });
    expect(total(rows)).toBe(3);
    expect(quantile(rows, 1)).toBeGreaterThan(89);
  });

  it("shows what is added after it was read, as long as it is not settled", async () => {
    const { store, reader } = opened();
    const range = { fromMs: t0 * 1000, toMs: (t0 + 4) * 1000, stepSec: 1 } as const;
    const settled = { settledUntilMs: (t0 + 2) * 1000 };
    await store.write(batch({ collector: settled, rollups: [rollup(reviews, t0), rollup(reviews, t0 + 3)] }));
    expect(total(await reader.rollups(range))).toBe(2);
    await store.write(batch({ collector: settled, rollups: [rollup(ratings, t0 + 2), rollup(reviews, t0 + 3)] }));
    const rows = await reader.rollups(range);
    const perSecond = [0, 1, 2, 3].map((second) => total(rows.filter((row) => row.atMs === (t0 + second) * 1000)));
    expect(perSecond).toEqual([1, 0, 1, 2]);
    expect(total(await reader.rollups({ ...range, fromMs: (t0 + 1) * 1000 }))).toBe(3);
  });

  it("holds sums past what is exact, and can still be read and compacted", async () => {
    const { store, reader } = opened();
    const huge = Array.from({ length: 20 }, (_, i) => ({ ...rollup(reviews, t0 + i), requestBytes: 2 ** 60 }));
    await store.write(batch({ rollups: huge }));
    const range = { fromMs: t0 * 1000, toMs: (t0 + 3600) * 1000 };
    const pass = { nowMs: (t0 + 7300) * 1000, settledUntilMs: (t0 + 7200) * 1000, retention: defaultRetention };
    for (let round = 0; round < 2; round++) {
      const [sum] = await reader.sums(range);
      expect(sum?.count).toBe(20);
      expect(sum?.requestBytes).toBeGreaterThanOrEqual(Number.MAX_SAFE_INTEGER);
      expect(total(await reader.rollups({ ...range, stepSec: 10 }))).toBe(20);
      while ((await store.compact(pass)).more);
    }
  });

  it("writes a batch once, however often it is tried", async () => {
    const { store, reader } = opened();
    const once = batch({ rollups: [rollup(reviews, t0)], samples: [sample(reviews, t0 * 1000)] });
    await store.write(once);
    await store.write(once);
    expect(total(await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 }))).toBe(1);
    expect(await reader.logs({ fromMs: 0, toMs: (t0 + 9) * 1000, limit: 10 })).toHaveLength(1);
  });

  it("keeps edges apart that differ in one dimension only", async () => {
    const { store, reader } = opened();
    const edges = [reviews, { ...reviews, mtls: true }, { ...reviews, reporter: "destination" as const }];
    await store.write(batch({ rollups: edges.map((key) => rollup(key, t0)) }));
    const rows = await reader.rollups({ fromMs: t0 * 1000, toMs: (t0 + 1) * 1000, stepSec: 1 });
    expect(rows.map((row) => row.edge.id).length).toBe(new Set(rows.map((row) => row.edge.id)).size);
    expect(rows).toHaveLength(3);
  });
}
