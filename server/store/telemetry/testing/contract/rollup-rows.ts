import { LatencySketch } from "../../../../lib/latency-sketch.ts";
import type { RollupRow, RollupSum } from "../../../../query/reader.ts";
import { edge } from "../records.ts";

/** 2026-01-01T00:00:00Z, a full hour; Unix seconds. */
export const t0 = 1_767_225_600;
export const reviews = edge("productpage", "reviews/v1");
export const ratings = edge("reviews/v2", "ratings");

/** Seconds since `t0`, service, code, flags and count of each row. */
export const summary = (rows: RollupRow[]) =>
  rows
    .map(
      (row) => [row.atMs / 1000 - t0, row.edge.service.split(".")[0], row.code, row.flags.join(), row.count] as const,
    )
    .toSorted((a, b) => (a.join() < b.join() ? -1 : 1));

export const total = (rows: RollupSum[]) => rows.reduce((sum, row) => sum + row.count, 0);

export function quantile(rows: RollupSum[], q: number): number | undefined {
  const sketch = new LatencySketch();
  for (const row of rows) sketch.mergeEncoded(row.latency);
  return sketch.quantile(q);
}
