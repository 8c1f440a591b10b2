import type { MutualTlsTrend } from "../contract/index.ts";
import type { EdgeRow, RollupRow } from "./reader.ts";
import { type Recorded, recordedSeconds, stepCount } from "./recorded-seconds.ts";
import { stepOf } from "./service-tallies.ts";
import { toldGaps } from "./unrecorded.ts";
import type { Window } from "./window.ts";

/** Of whom: a workload, those of a namespace, or all of the mesh. */
export interface TrendOf {
  namespace?: string | undefined;
  workload?: string | undefined;
}

/** Calls within the mesh, as told where they arrived: a gateway's callers have no certificates of the mesh. */
export const arrivesAt =
  ({ namespace, workload }: TrendOf) =>
  ({ reporter, gateway, destination }: EdgeRow): boolean =>
    reporter === "destination" &&
    !gateway &&
    destination.workload !== "" &&
    (namespace === undefined || destination.namespace === namespace) &&
    (workload === undefined || destination.workload === workload);

export interface MutualTlsTrendInput extends Recorded {
  window: Window;
  rows: readonly RollupRow[];
}

/** How many calls came by mutual TLS and how many in plain text, step by step. */
export function mutualTlsTrend({ window, rows, ...recorded }: MutualTlsTrendInput): MutualTlsTrend {
  const count = stepCount(window);
  const sums = { mutual: new Array<number>(count).fill(0), plain: new Array<number>(count).fill(0) };
  for (const row of rows) {
    const column = row.edge.mtls ? sums.mutual : sums.plain;
    const step = stepOf(row, window);
    column[step] = (column[step] ?? 0) + row.count;
  }
  const secondsOf = recordedSeconds(window, recorded);
  const rate = (calls: readonly number[]) =>
    calls.map((own, step) => {
      const seconds = secondsOf(step, (sums.mutual[step] ?? 0) + (sums.plain[step] ?? 0) > 0);
      return seconds === 0 ? null : own / seconds;
    });
  const { fromMs, toMs, stepSec } = window;
  return {
    ...{ fromMs, toMs, stepSec, dataFromMs: recorded.dataFromMs },
    ...toldGaps(recorded.gaps),
    mutual: rate(sums.mutual),
    plain: rate(sums.plain),
    share: sums.mutual.map((mutual, step) => {
      const calls = mutual + (sums.plain[step] ?? 0);
      return calls === 0 ? null : mutual / calls;
    }),
  };
}
