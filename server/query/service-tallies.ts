import type { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import { Tally } from "./tally.ts";
import { trafficOf } from "./traffic.ts";
import type { Window } from "./window.ts";

export const stepOf = (row: Pick<RollupRow, "atMs">, window: Window): number =>
  Math.floor((row.atMs - window.fromMs) / (window.stepSec * 1000));

/** Sums of the rows that count, under each key that a row is given; the key of all comes first. */
export function tallies(
  rows: readonly RollupRow[],
  names: NodeNames,
  keysOf: (row: RollupRow, version: string) => string[],
): Map<string, Tally> {
  const traffic = trafficOf(rows, names, false);
  const sums = new Map<string, Tally>();
  for (const row of rows) {
    if (!traffic.counts(row)) continue;
    const { workload, version } = row.edge.destination;
    // What is outside the mesh is one node, and may have versions all the same.
    for (const key of keysOf(row, (workload ? version : traffic.edgeOf(row)?.target.version) || "unknown")) {
      let tally = sums.get(key);
      if (tally === undefined) {
        tally = new Tally();
        sums.set(key, tally);
      }
      tally.add(row);
    }
  }
  return sums;
}
