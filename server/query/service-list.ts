import { healthOf, type ServiceList } from "../contract/index.ts";
import type { MeshFacts } from "./facts.ts";
import { judgedBy } from "./judged-by.ts";
import { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import { type Recorded, recordedSecondsOf } from "./recorded-seconds.ts";
import { Tally } from "./tally.ts";
import { answeredRows } from "./traffic.ts";
import { type TrendSteps, trendOf, trendSteps } from "./trend.ts";
import { toldGaps } from "./unrecorded.ts";
import type { Window } from "./window.ts";

export interface ServiceListInput {
  window: Window;
  rows: readonly RollupRow[];
  facts: MeshFacts;
  /** Since when there can be data; default: the window's start. */
  dataFromMs?: number;
  gaps?: Recorded["gaps"];
}

/** The registry's services with what is called of them; traffic to anything else is the graph's to show. */
export function buildServiceList({ window, rows, facts, ...input }: ServiceListInput): ServiceList {
  const recorded = { dataFromMs: input.dataFromMs ?? window.fromMs, gaps: input.gaps ?? [] };
  const windowSec = recordedSecondsOf(window, recorded);
  const steps = trendSteps(window, recorded);
  const called = new Map<string, Tally[]>();
  for (const row of answeredRows(rows, new NodeNames(facts))) {
    const tallies = called.get(row.edge.service) ?? [];
    called.set(row.edge.service, tallies);
    addToStep(tallies, row, steps);
  }
  const services = facts.services.map((service) => {
    const tallies = called.get(service.hostname) ?? [];
    const whole = new Tally();
    for (const tally of tallies) if (tally) whole.merge(tally);
    const signals = judgedBy(service, whole.signals(windowSec));
    const timed = service.ports.every(({ protocol }) => protocol.toUpperCase() === "HTTP");
    return { ...service, health: healthOf(signals, { timed }), signals, trend: trendOf(tallies, steps) };
  });
  return { at: window.toMs, windowSec, ...toldGaps(recorded.gaps), services };
}

/** Each row's latencies are merged once, into its step; a service's whole is the sum of its steps. */
function addToStep(tallies: Tally[], row: RollupRow, { fromMs, stepMs, count }: TrendSteps): void {
  const step = Math.min(count - 1, Math.max(0, Math.floor((row.atMs - fromMs) / stepMs)));
  const tally = tallies[step] ?? new Tally();
  tallies[step] = tally;
  tally.add(row);
}
