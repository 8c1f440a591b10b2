import type { Series, ServiceMetrics, Signals } from "../contract/index.ts";
import { connectionsOf, flowOf } from "./connection-metrics.ts";
import type { MeshFacts, ServiceFacts } from "./facts.ts";
import { judgedBy } from "./judged-by.ts";
import { NodeNames } from "./nodes.ts";
import type { RollupRow } from "./reader.ts";
import { type Recorded, recordedSeconds, recordedSecondsOf, stepCount } from "./recorded-seconds.ts";
import { stepOf, tallies } from "./service-tallies.ts";
import { Tally } from "./tally.ts";
import { answeredRows, trafficOf } from "./traffic.ts";
import { toldGaps } from "./unrecorded.ts";
import { compareVersions } from "./version-order.ts";
import type { Window } from "./window.ts";

export interface ServiceMetricsInput {
  /** Which it is, where the registry has it. */
  service?: ServiceFacts | undefined;
  window: Window;
  /** Since when there can be data; default: the window's start. */
  dataFromMs?: number;
  /** Stretches of time of which records may be missing. */
  gaps?: Recorded["gaps"];
  /** Rows of calls to this service only. */
  rows: readonly RollupRow[];
  /** Those of its last seconds, for what the weights really do right now. */
  recent: readonly RollupRow[];
  facts: MeshFacts;
}

/** The service as its callers see it. A version without traffic in the window has no series. */
export function buildServiceMetrics({ window, recent, facts, service, ...input }: ServiceMetricsInput): ServiceMetrics {
  const names = new NodeNames(facts);
  const rows = answeredRows(input.rows, names);
  const { dataFromMs = window.fromMs, gaps = [] } = input;
  const seconds = recordedSecondsOf(window, { dataFromMs, gaps });
  const signalsOf: SignalsOf = (tally) => judgedBy(service, tally.signals(seconds));
  const versions = tallies(rows, names, (row, version) => [
    `all:${stepOf(row, window)}`,
    `${version}:${stepOf(row, window)}`,
  ]);
  const totals = tallies(rows, names, (_, version) => ["all", version]);
  const connections = connectionsOf(rows, names, window, { dataFromMs, gaps });
  return {
    at: window.toMs,
    windowSec: (window.toMs - window.fromMs) / 1000,
    stepSec: window.stepSec,
    fromMs: window.fromMs,
    dataFromMs,
    ...toldGaps(gaps),
    series: [...totals.keys()]
      .toSorted(allFirst)
      .map((version) => seriesOf(version, versions, window, { dataFromMs, gaps })),
    totals: mapValues(totals, signalsOf),
    observedShares: sharesOf(answeredRows(recent, names), names),
    callers: callersOf(rows, names, signalsOf, seconds),
    workloads: workloadsOf(rows, names, signalsOf),
    ...(connections && { connections }),
  };
}

const allFirst = (a: string, b: string): number => (a === "all" ? -1 : b === "all" ? 1 : compareVersions(a, b));

/** One line of the chart: `steps` has a sum under `<version>:<step>` for each step of the window that had calls. */
export function seriesOf(
  version: string,
  steps: ReadonlyMap<string, Tally>,
  window: Window,
  recorded: Recorded,
): Series {
  const secondsOf = recordedSeconds(window, recorded);
  const column = <T>(value: (tally: Tally | undefined, seconds: number) => T): T[] =>
    Array.from({ length: stepCount(window) }, (_, step) => {
      const tally = steps.get(`${version}:${step}`);
      return value(tally, secondsOf(step, tally !== undefined));
    });
  return {
    version,
    // What was not yet recorded is not zero.
    requestRate: column((tally, seconds) => (seconds === 0 ? null : (tally?.count ?? 0) / seconds)),
    errorShare: column((tally) => (tally === undefined ? null : tally.errors / tally.count)),
    latencyMsP50: column((tally) => tally?.percentile(0.5) ?? null),
    latencyMsP90: column((tally) => tally?.percentile(0.9) ?? null),
    latencyMsP95: column((tally) => tally?.percentile(0.95) ?? null),
    latencyMsP99: column((tally) => tally?.percentile(0.99) ?? null),
  };
}

function sharesOf(rows: readonly RollupRow[], names: NodeNames): Record<string, number> {
  const totals = tallies(rows, names, (_, version) => [version]);
  const all = [...totals.values()].reduce((sum, tally) => sum + tally.count, 0);
  return mapValues(totals, (tally) => tally.count / all);
}

type SignalsOf = (tally: Tally) => Signals;

function callersOf(
  rows: readonly RollupRow[],
  names: NodeNames,
  signalsOf: SignalsOf,
  seconds: number,
): ServiceMetrics["callers"] {
  const callers = new Map<string, Caller>();
  for (const { source, counted, protocol } of trafficOf(rows, names).edges) {
    const { app, namespace, version } = source;
    const service = names.linkOf(source);
    const gateway = source.kind === "gateway";
    const fresh = { app, namespace, version, gateway, service, tally: new Tally(), connections: new Tally() };
    const caller = callers.get(source.id) ?? fresh;
    caller.tally.merge(counted);
    if (protocol === "tcp") caller.connections.merge(counted);
    callers.set(source.id, caller);
  }
  return [...callers.values()]
    .toSorted((a, b) => b.tally.count - a.tally.count)
    .map(({ tally, connections, ...caller }) => ({
      ...caller,
      signals: signalsOf(tally),
      ...(connections.count > 0 && { bytesPerSecond: flowOf(connections, seconds) }),
    }));
}

type Caller = Omit<ServiceMetrics["callers"][number], "signals"> & { tally: Tally; connections: Tally };

/** By the workload that answered; what reached none tells of no endpoint. */
function workloadsOf(rows: readonly RollupRow[], names: NodeNames, signalsOf: SignalsOf): ServiceMetrics["workloads"] {
  const traffic = trafficOf(rows, names, false);
  const tallies = new Map<string, { namespace: string; workload: string; tally: Tally }>();
  for (const row of rows) {
    const { namespace, workload } = row.edge.destination;
    if (!workload || !traffic.counts(row)) continue;
    const key = `${namespace}/${workload}`;
    const entry = tallies.get(key) ?? { namespace, workload, tally: new Tally() };
    tallies.set(key, entry);
    entry.tally.add(row);
  }
  return [...tallies.values()]
    .toSorted((a, b) => compareVersions(a.workload, b.workload))
    .map(({ namespace, workload, tally }) => ({ namespace, workload, signals: signalsOf(tally) }));
}

const mapValues = <T>(tallies: ReadonlyMap<string, Tally>, value: (tally: Tally) => T): Record<string, T> =>
  Object.fromEntries([...tallies].map(([key, tally]) => [key, value(tally)]));
