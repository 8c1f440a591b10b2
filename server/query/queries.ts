import { findService, type Graph, type Overview, type ServiceList, type ServiceMetrics } from "../contract/index.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { enteringEdges } from "./entering.ts";
import { type MeshFacts, type MeshFactsSource, noFacts } from "./facts.ts";
import { buildGraph } from "./graph.ts";
import { buildOverview } from "./overview.ts";
import { bounded, Ranges } from "./ranges.ts";
import type {
  CollectorRow,
  EdgeRow,
  LogQuery,
  LogRow,
  SpanRow,
  TelemetryReader,
  TraceQuery,
  TraceRow,
} from "./reader.ts";
import { buildServiceList } from "./service-list.ts";
import { buildServiceMetrics } from "./service-metrics.ts";
import { defaultKeptSec, type KeptSec, silentSinceMs } from "./window.ts";

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
  /** The mesh as a whole: the last minute, and the last hour in steps. */
  overview(): Promise<Overview>;
  /** End of the newest request seen; null before the first. */
  freshAt(): Promise<number | null>;
  /** The same, with since when a collector that had more to tell has said nothing; null while all is well. */
  freshness(): Promise<{ freshAt: number | null; silentSince: number | null }>;
  logs(query: WithoutRange<LogQuery>): Promise<LogRow[]>;
  traces(query: WithoutRange<TraceQuery>): Promise<TraceRow[]>;
  trace(traceId: string): Promise<SpanRow[]>;
}

export interface ServiceMetricsQuery {
  namespace: string;
  /** Its hostname, or its resource's name. */
  name: string;
  window: number;
  step?: number;
  at?: number;
}

/** A range may be left out: the last quarter of an hour. */
type WithoutRange<Q extends { fromMs: number; toMs: number }> = Omit<Q, "fromMs" | "toMs"> &
  Partial<Pick<Q, "fromMs" | "toMs">>;

const timelineSec = 900;
const overviewSec = 3600;
const recentSec = 10;
const maxRows = 1000;

export function createQueries({
  reader,
  facts,
  clock = systemClock,
  keptSec = defaultKeptSec,
}: QueriesOptions): Queries {
  let lastFacts = noFacts;
  /** While nobody can be asked, what was so last: a graph keeps its shape when the control plane is away. */
  const factsOrLast = async (): Promise<MeshFacts> => {
    lastFacts = (await facts?.().catch(() => undefined)) ?? lastFacts;
    return lastFacts;
  };

  const ranges = new Ranges(reader, clock, keptSec);

  const range = (query: { fromMs?: number; toMs?: number; limit: number }) => {
    const toMs = query.toMs ?? clock.now() + 1000;
    return { fromMs: query.fromMs ?? toMs - timelineSec * 1000, toMs, limit: bounded(query.limit, 1, maxRows) };
  };

  /** Who called whom tells which few edges requests enter by; then only these are read step by step. */
  const timelineBefore = async (endMs: number, windowSec: number, known: MeshFacts) => {
    const steps = ranges.stepsBefore(endMs, windowSec);
    const entering = enteringEdges(await ranges.countsOf(steps), known);
    return ranges.rowsOf(steps, (edge) => entering.has(edge));
  };

  return {
    async graph({ window, at }) {
      const [{ endMs: end, collectors }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      // The last numbers known are worth more than zeros that only a dead collector makes.
      const silentSince = at === undefined ? silentSinceMs(clock.now(), collectors) : null;
      const endMs = silentSince ?? end;
      const [shown, timeline] = await Promise.all([
        ranges.sumsBefore(endMs, window),
        timelineBefore(endMs, Math.max(window, timelineSec), known),
      ]);
      const gaps = await reader.gaps(timeline.window);
      return buildGraph({ ...shown, timeline, gaps, facts: known, freshAt: newest(collectors), silentSince });
    },
    async serviceMetrics({ namespace, name, window, step, at }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const host = hostOf(known, namespace, name);
      const ofService = (edge: EdgeRow) => edge.service === host;
      const [shown, recent] = await Promise.all([
        ranges.rowsOf(ranges.stepsBefore(endMs, window, step), ofService),
        ranges.rowsBefore(endMs, recentSec, ofService),
      ]);
      const gaps = await reader.gaps(shown.window);
      return buildServiceMetrics({
        window: shown.window,
        dataFromMs: shown.dataFromMs,
        rows: shown.rows,
        recent: recent.rows,
        gaps,
        facts: known,
      });
    },
    async serviceList({ window, at }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const shown = await ranges.rowsBefore(endMs, window);
      return buildServiceList({ ...shown, facts: known });
    },
    async overview() {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(undefined), factsOrLast()]);
      const [hour, minute] = await Promise.all([
        timelineBefore(endMs, overviewSec, known),
        ranges.rowsBefore(endMs, 60),
      ]);
      const entering = enteringEdges(minute.rows, known);
      const rows = minute.rows.filter(({ edge }) => entering.has(edge));
      const gaps = await reader.gaps(hour.window);
      return buildOverview({ at: endMs, recent: { rows, seconds: minute.seconds }, hour, gaps });
    },
    freshAt: async () => newest(await reader.collectors()),
    async freshness() {
      const collectors = await reader.collectors();
      return { freshAt: newest(collectors), silentSince: silentSinceMs(clock.now(), collectors) };
    },
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
  return (
    findService(facts.services, namespace, name)?.hostname ??
    (name.includes(".") ? name : `${name}.${namespace}.svc.cluster.local`)
  );
}
