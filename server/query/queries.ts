import { findService, type Graph } from "../contract/index.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import { MadeAhead } from "../lib/made-ahead.ts";
import { Recent } from "../lib/recent.ts";
import { rememberEach } from "../lib/remember.ts";
import { enteringEdges } from "./entering.ts";
import { type MeshFacts, type MeshFactsSource, noFacts } from "./facts.ts";
import { followLogs } from "./follow-logs.ts";
import { buildGraph } from "./graph.ts";
import { buildLatencyHeatmap } from "./latency-heatmap.ts";
import { readLiveHosts } from "./live-hosts.ts";
import { metricCatalog, metricGroups } from "./metric-groups.ts";
import { metricValues } from "./metric-values.ts";
import { arrivesAt, mutualTlsTrend } from "./mutual-tls-trend.ts";
import { buildOutbound } from "./outbound.ts";
import { buildOverview } from "./overview.ts";
import { bounded, Ranges } from "./ranges.ts";
import type { Queries } from "./read-models.ts";
import type { CollectorRow, EdgeRow, LogFilter, PeerFilter, PeerRow, TelemetryReader } from "./reader.ts";
import { readLines, readRecordedCalls } from "./recorded-calls.ts";
import { readSaturation } from "./saturation.ts";
import { buildServiceList } from "./service-list.ts";
import { buildServiceMetrics } from "./service-metrics.ts";
import { readTurnedAway } from "./turned-away.ts";
import { toldGaps } from "./unrecorded.ts";
import { defaultKeptSec, type KeptSec, silentSinceMs } from "./window.ts";
import { buildWorkloadList, buildWorkloadMetrics } from "./workload-metrics.ts";

export type { MetricStep, MetricValues, Queries } from "./read-models.ts";

export interface QueriesOptions {
  reader: TelemetryReader;
  facts?: MeshFactsSource;
  clock?: Clock;
  keptSec?: KeptSec;
  /** What is done once, for all who get it, with a graph of now before anybody does; such as writing and packing it. */
  prepare?: ((graph: Graph) => Promise<void>) | undefined;
}

interface GraphAt {
  window: number;
  endMs: number;
  silentSince: number | null;
  freshAt: number | null;
  /** Of now, and not of a moment that somebody chose. */
  live: boolean;
}

const timelineSec = 900;
const overviewSec = 3600;
const recentSec = 10;
const maxRows = 1000;

export function createQueries({
  reader,
  facts,
  clock = systemClock,
  keptSec = defaultKeptSec,
  prepare,
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

  /** Of a young mesh all there is, so that an hour of nothing does not press its first minutes into a corner. */
  const recordedSec = async (endMs: number, windowSec: number): Promise<number> =>
    bounded((endMs - ((await reader.oldestAt()) ?? endMs)) / 1000, Math.min(60, windowSec), windowSec);

  /** All who look at the same window at the same second get the same object: it is made once, and may be written and packed once. */
  const graphOf = rememberEach(
    async ({ window, endMs, silentSince, freshAt, live }: GraphAt) => {
      const known = await factsOrLast();
      const [shown, timeline, recent] = await Promise.all([
        ranges.sumsBefore(endMs, window),
        timelineBefore(endMs, Math.max(window, timelineSec), known),
        window > recentSec ? ranges.sumsBefore(endMs, recentSec) : undefined,
      ]);
      const { gaps } = timeline;
      const more = { freshAt, silentSince, ...(recent && { recent }) };
      const graph = buildGraph({ ...shown, timeline, gaps, facts: known, ...more });
      if (live) await prepare?.(graph);
      return graph;
    },
    {
      ms: 1500, // what is new has another key
      maxKeys: 32,
      keyOf: ({ window, endMs, silentSince, freshAt, live }) => `${window} ${endMs} ${silentSince} ${freshAt} ${live}`,
      clock,
    },
  );

  const beginGraph = async ({ window, at }: { window: number; at?: number }) => {
    const { endMs: end, collectors } = await ranges.endOf(at);
    // The last numbers known are worth more than zeros that only a dead collector makes.
    const silentSince = at === undefined ? silentSinceMs(clock.now(), collectors) : null;
    const freshAt = newest(collectors);
    return { answer: graphOf({ window, endMs: silentSince ?? end, silentSince, freshAt, live: at === undefined }) };
  };
  const liveGraphs = new Recent<MadeAhead<Graph>>(32);

  return {
    async graph({ window, at }) {
      if (at !== undefined) return (await beginGraph({ window, at })).answer;
      const make = () => new MadeAhead({ begin: () => beginGraph({ window }), clock });
      return liveGraphs.getOr(String(window), make).ask();
    },
    async serviceMetrics({ namespace, name, window, step, at }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const host = hostOf(known, namespace, name);
      const ofService = (edge: EdgeRow) => edge.service === host;
      const [shown, recent] = await Promise.all([
        ranges.rowsOf(ranges.stepsBefore(endMs, window, step), ofService),
        ranges.rowsBefore(endMs, recentSec, ofService),
      ]);
      return buildServiceMetrics({
        ...shown,
        recent: recent.rows,
        facts: known,
        service: known.services.find(({ hostname }) => hostname === host),
      });
    },
    async outbound({ namespace, app, workload, window, at }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const isMeant = ({ source }: EdgeRow) =>
        isPeer(source, { namespace, app }) && (workload === undefined || source.workload === workload);
      const shown = await ranges.rowsOf(ranges.stepsBefore(endMs, window), isMeant);
      return buildOutbound({ ...shown, facts: known });
    },
    async serviceList({ window, at }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const shown = await ranges.rowsBefore(endMs, window);
      return buildServiceList({ ...shown, facts: known });
    },
    async workloadList({ window, at, workloads }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const { rows, seconds } = await ranges.sumsBefore(endMs, window);
      return {
        at: endMs,
        windowSec: seconds,
        workloads: buildWorkloadList({ rows, seconds, facts: known, workloads }),
      };
    },
    async workloadMetrics({ window, at, workload, only }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const shown = await ranges.rowsOf(
        ranges.stepsBefore(endMs, window),
        (edge) =>
          isPeer(edge.source, workload) || isPeer(edge.destination, workload) || edge.destination.workload === "",
      );
      return buildWorkloadMetrics({ ...shown, facts: known, workload, only });
    },
    async overview({ window = overviewSec, at } = {}) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const hourSec = at === undefined ? await recordedSec(endMs, window) : window;
      // Live, the figures are of now; of a stretch of the past, of all of it.
      const figuresSec = at === undefined ? Math.min(60, window) : window;
      const [hour, minute] = await Promise.all([
        timelineBefore(endMs, hourSec, known),
        ranges.rowsBefore(endMs, figuresSec),
      ]);
      const entering = enteringEdges(minute.rows, known);
      const rows = minute.rows.filter(({ edge }) => entering.has(edge));
      return buildOverview({ at: endMs, recent: { rows, seconds: minute.seconds }, hour });
    },
    async latencyHeatmap({ window, at, ...filter }) {
      const [{ endMs }, known] = await Promise.all([ranges.endOf(at), factsOrLast()]);
      const seconds = await recordedSec(endMs, window);
      const isNarrowed = Object.values(filter).some((value) => value !== undefined);
      const shown = isNarrowed
        ? await ranges.rowsOf(ranges.stepsBefore(endMs, seconds), (edge) => isOf(edge, filter))
        : await timelineBefore(endMs, seconds, known);
      return buildLatencyHeatmap({ ...shown, facts: known });
    },
    freshAt: async () => newest(await reader.collectors()),
    async freshness() {
      const collectors = await reader.collectors();
      return { freshAt: newest(collectors), silentSince: silentSinceMs(clock.now(), collectors) };
    },
    logs: (query) => reader.logs({ ...query, ...range(query) }),
    followLogs: (filter, signal) => followLogs((from) => reader.newLogs({ ...filter, ...from }), clock, signal),
    traces: (query) => reader.traces({ ...query, ...range(query) }),
    trace: (traceId) => reader.trace(traceId.toLowerCase()),
    operations: () => reader.operations(),
    applicationLogs: (query) => reader.applicationLogs({ ...query, ...range(query) }),
    followApplicationLogs: (filter, signal) =>
      followLogs((from) => reader.newApplicationLogs({ ...filter, ...from }), clock, signal),
    metricSeries: (query) => reader.metricSeries({ ...query, limit: bounded(query.limit, 1, maxRows) }),
    metricCatalog: () => metricCatalog(reader),
    async metricGroups({ window, step, at, ...question }) {
      const { endMs } = await ranges.endOf(at);
      const steps = ranges.metricStepsBefore(endMs, window, step);
      const [result, gaps] = await Promise.all([metricGroups(reader, steps, question), ranges.gapsIn(steps.window)]);
      return result && { ...result, ...toldGaps(gaps) };
    },
    async liveHosts() {
      const { endMs } = await ranges.endOf(undefined);
      return readLiveHosts(reader, ranges.metricStepsBefore(endMs, 30, 30));
    },
    recordedCalls: (query) => readRecordedCalls(reader, ranges, query),
    lines: (query) => readLines(reader, ranges, query),
    async edgeCounts({ window, at }) {
      const { endMs } = await ranges.endOf(at);
      const { window: range, rows } = await ranges.sumsBefore(endMs, window);
      return { fromMs: range.fromMs, toMs: range.toMs, sums: rows };
    },
    async mutualTlsTrend({ window, at, ...of }) {
      const { endMs } = await ranges.endOf(at);
      const seconds = await recordedSec(endMs, window);
      // Steps of hours at the most: a week that ends three hours ago would not have what is looked for.
      const step = seconds > 2 * 86_400 ? 3600 : undefined;
      const shown = await ranges.rowsOf(ranges.stepsBefore(endMs, seconds, step), arrivesAt(of));
      return mutualTlsTrend(shown);
    },
    async turnedAway({ window, at }) {
      const { endMs } = await ranges.endOf(at);
      return readTurnedAway(reader, ranges.metricStepsBefore(endMs, window));
    },
    async saturation({ at }) {
      const { endMs } = await ranges.endOf(at);
      return readSaturation(reader, ranges.metricStepsBefore(endMs, 60, 10), endMs);
    },
    async metrics({ series, window, step, at }) {
      const { endMs } = await ranges.endOf(at);
      return metricValues(reader, ranges.metricStepsBefore(endMs, window, step), series);
    },
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

const isOf = (edge: EdgeRow, { service, source, destination }: Pick<LogFilter, "service" | "source" | "destination">) =>
  (service === undefined || edge.service === service) &&
  isPeer(edge.source, source) &&
  isPeer(edge.destination, destination);

const isPeer = (peer: PeerRow, wanted: PeerFilter | undefined): boolean =>
  wanted === undefined ||
  (peer.namespace === wanted.namespace &&
    peer.app === wanted.app &&
    (wanted.version === undefined || peer.version === wanted.version));
