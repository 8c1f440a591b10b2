import { Bars } from "./bars.ts";
import { benchGraph, benchGraphEdges, benchGraphTraffic } from "./telemetry-graph.ts";
import { benchIngest } from "./telemetry-ingest.ts";
import { onEachPlace, type Place } from "./telemetry-places.ts";
import { benchTraceSearch } from "./telemetry-search.ts";
import { benchVisible } from "./telemetry-visible.ts";

const parts: Record<string, (place: Place, bars: Bars) => Promise<void>> = {
  ingest: benchIngest,
  visible: benchVisible,
  graph: benchGraph,
  traffic: benchGraphTraffic,
  edges: benchGraphEdges,
  search: benchTraceSearch,
};

/**
 * What telemetry costs, on SQLite and on PostgreSQL, each figure with its bar and whether it is met: access logs and spans from the wire to the store by processor time
 * of the collector; how long a record is on its way; the graph's cost by traffic, edges and time, and for twenty who look on; disk; search among a million spans.
 * `LIMPID_BENCH_TELEMETRY=graph,search` runs some of the parts. About a quarter of an hour.
 */
export async function benchTelemetry(): Promise<void> {
  const chosen = process.env.LIMPID_BENCH_TELEMETRY?.split(",") ?? Object.keys(parts);
  const bars = new Bars();
  for (const name of chosen) {
    const work = parts[name];
    if (work === undefined) throw new Error(`no part ${name}; there are ${Object.keys(parts).join(", ")}`);
    await onEachPlace(`bench_${name}`, (place) => bars.part(`${place.name}: ${name}`, () => work(place, bars)));
  }
  bars.table();
}
