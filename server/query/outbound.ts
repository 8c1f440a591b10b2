import { type OutboundMetrics, serviceLink } from "../contract/index.ts";
import type { MeshFacts } from "./facts.ts";
import { judgedBy } from "./judged-by.ts";
import { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import { type Recorded, recordedSecondsOf } from "./recorded-seconds.ts";
import { seriesOf } from "./service-metrics.ts";
import { stepOf, tallies } from "./service-tallies.ts";
import { answeredRows } from "./traffic.ts";
import { toldGaps } from "./unrecorded.ts";
import type { Window } from "./window.ts";

export interface OutboundInput {
  window: Window;
  dataFromMs: number;
  gaps: Recorded["gaps"];
  /** Rows of calls by the caller that is meant only. */
  rows: readonly RollupRow[];
  facts: MeshFacts;
}

/** Charts of more lines than these tell nothing; the table has them all. */
const mostSeries = 8;

/** What a workload, or all of an application, calls, by the service that was called; the busiest first. */
export function buildOutbound({ window, dataFromMs, gaps, facts, ...input }: OutboundInput): OutboundMetrics {
  const names = new NodeNames(facts);
  const rows = answeredRows(input.rows, names);
  const seconds = recordedSecondsOf(window, { dataFromMs, gaps });
  const steps = tallies(rows, names, ({ edge, ...row }) => [`${edge.service}:${stepOf(row, window)}`]);
  const totals = [...tallies(rows, names, ({ edge }) => [edge.service])].toSorted(([, a], [, b]) => b.count - a.count);
  const known = new Map(facts.services.map((service) => [service.hostname, service]));
  return {
    at: window.toMs,
    fromMs: window.fromMs,
    stepSec: window.stepSec,
    dataFromMs,
    ...toldGaps(gaps),
    series: totals.slice(0, mostSeries).map(([service]) => seriesOf(service, steps, window, { dataFromMs, gaps })),
    destinations: totals.map(([hostname, tally]) => {
      const service = known.get(hostname);
      return {
        hostname,
        service: service ? serviceLink(service) : null,
        signals: judgedBy(service, tally.signals(seconds)),
      };
    }),
  };
}
