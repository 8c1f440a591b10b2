import type { Graph, ServiceList, ServiceMetrics } from "../contract/index.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { type MeshFacts, type MeshFactsSource, noFacts } from "./facts.ts";
import { buildGraph } from "./graph.ts";
import {
  type CollectorRow,
  type LogQuery,
  type LogRow,
  type SpanRow,
  storedSteps,
  type TelemetryReader,
  type TraceQuery,
  type TraceRow,
} from "./reader.ts";
import { buildServiceList } from "./service-list.ts";
import { buildServiceMetrics } from "./service-metrics.ts";
import { alignedWindow, defaultKeptSec, floorTo, type KeptSec, liveEndMs, rowsUntil, storedStepFor } from "./window.ts";

export interface QueriesOptions {
  reader: TelemetryReader;
  facts?: MeshFactsSource;
  clock?: Clock;
  keptSec?: KeptSec;
}

/** The read models. Windows and steps are seconds, other times Unix milliseconds; all reject when the store can't be read. */
export interface Queries {
  /** `at` ends the window, for replay; left out, it ends with the last second that is known whole. */
  graph(query: { window: number; at?: number }): Promise<Graph>;
  serviceMetrics(query: ServiceMetricsQuery): Promise<ServiceMetrics>;
  serviceList(query: { window: number; at?: number }): Promise<ServiceList>;
  /** End of the newest request seen; null before the first. */
  freshAt(): Promise<number | null>;
  logs(query: WithoutRange<LogQuery>): Promise<LogRow[]>;
  traces(query: WithoutRange<TraceQuery>): Promise<TraceRow[]>;
  trace(traceId: string): Promise<SpanRow[]>;
}

export interface ServiceMetricsQuery {
  namespace: string;
  name: string;
  window: number;
  step?: number;
  at?: number;
}

/** A range may be left out: the last quarter of an hour. */
type WithoutRange<Q extends { fromMs: number; toMs: number }> = Omit<Q, "fromMs" | "toMs"> &
  Partial<Pick<Q, "fromMs" | "toMs">>;

const maxBuckets = 180;
const timelineSec = 900;
const recentSec = 10;
const maxRows = 1000;
const maxSteps = 1000;
const maxWindowSec = 30 * 86_400;

export function createQueries({
  reader,
  facts,
  clock = systemClock,
  keptSec = defaultKeptSec,
}: QueriesOptions): Queries {
  const factsOrNone = (): Promise<MeshFacts> => facts?.().catch(() => noFacts) ?? Promise.resolve(noFacts);

  async function endOf(at: number | undefined): Promise<{ endMs: number; collectors: CollectorRow[] }> {
    const collectors = await reader.collectors();
    const live = liveEndMs(clock.now(), collectors);
    return { endMs: at === undefined ? live : Math.min(live, floorTo(at, 1)), collectors };
  }

  /** Rows of the last `windowSec` before any second, from buckets whose size goes with the window. */
  async function rowsBefore(endMs: number, windowSec: number) {
    const seconds = bounded(windowSec, 1, maxWindowSec);
    const ageSec = (clock.now() - endMs) / 1000 + seconds;
    const stepSec = storedStepFor(seconds, ageSec, keptSec, maxBuckets);
    // Seconds that are forgotten can't fill the time since the last full bucket: then the window ends with that.
    const toMs = ageSec - seconds < keptSec[1] / 2 ? endMs : floorTo(endMs, stepSec);
    const { fromMs } = alignedWindow(toMs, seconds, stepSec);
    const rows = await rowsUntil(reader, { fromMs, toMs, stepSec });
    return { window: { fromMs, toMs, stepSec }, rows };
  }

  /** The same in steps for a chart: it ends with a full step. */
  async function stepsBefore(endMs: number, windowSec: number, step?: number) {
    const seconds = bounded(windowSec, 1, maxWindowSec);
    const ageSec = (clock.now() - endMs) / 1000 + seconds;
    const kept = storedSteps.filter((each) => ageSec <= keptSec[each]);
    const finest = kept[0] ?? 3600;
    const wanted = Math.max(step ?? niceStep(seconds), seconds / maxSteps);
    const stepSec = Math.ceil(wanted / finest) * finest;
    const window = alignedWindow(endMs, seconds, stepSec);
    const readStep = kept.toReversed().find((each) => stepSec % each === 0) ?? finest;
    return { window, rows: await reader.rollups({ fromMs: window.fromMs, toMs: window.toMs, stepSec: readStep }) };
  }

  const range = (query: { fromMs?: number; toMs?: number; limit: number }) => {
    const toMs = query.toMs ?? clock.now() + 1000;
    return { fromMs: query.fromMs ?? toMs - timelineSec * 1000, toMs, limit: bounded(query.limit, 1, maxRows) };
  };

  return {
    async graph({ window, at }) {
      const [{ endMs, collectors }, known] = await Promise.all([endOf(at), factsOrNone()]);
      const [shown, timeline] = await Promise.all([
        rowsBefore(endMs, window),
        stepsBefore(endMs, Math.max(window, timelineSec)),
      ]);
      return buildGraph({ ...shown, timeline, facts: known, freshAt: newest(collectors) });
    },
    async serviceMetrics({ namespace, name, window, step, at }) {
      const [{ endMs }, known] = await Promise.all([endOf(at), factsOrNone()]);
      const host = hostOf(known, namespace, name);
      const [shown, recent] = await Promise.all([stepsBefore(endMs, window, step), rowsBefore(endMs, recentSec)]);
      return buildServiceMetrics({
        window: shown.window,
        rows: shown.rows.filter((row) => row.edge.service === host),
        recent: recent.rows.filter((row) => row.edge.service === host),
        facts: known,
      });
    },
    async serviceList({ window, at }) {
      const [{ endMs }, known] = await Promise.all([endOf(at), factsOrNone()]);
      const shown = await rowsBefore(endMs, window);
      return buildServiceList(shown.window, shown.rows, known);
    },
    freshAt: async () => newest(await reader.collectors()),
    logs: (query) => reader.logs({ ...query, ...range(query) }),
    traces: (query) => reader.traces({ ...query, ...range(query) }),
    trace: (traceId) => reader.trace(traceId.toLowerCase()),
  };
}

function newest(collectors: readonly CollectorRow[]): number | null {
  const times = collectors.flatMap((row) => row.freshAtMs ?? []);
  return times.length === 0 ? null : Math.max(...times);
}

function hostOf(facts: MeshFacts, namespace: string, name: string): string {
  const service = facts.services.find((each) => each.namespace === namespace && each.name === name);
  return service?.hostname ?? (name.includes(".") ? name : `${name}.${namespace}.svc.cluster.local`);
}

/** About sixty points to a chart. */
function niceStep(windowSec: number): number {
  const nice = [1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 3 * 3600, 12 * 3600];
  return nice.find((step) => windowSec / step <= 90) ?? 86_400;
}

/** Within bounds; what is no number becomes the least. */
const bounded = (value: number, least: number, most: number): number =>
  Number.isFinite(value) ? Math.min(most, Math.max(least, Math.round(value))) : least;
