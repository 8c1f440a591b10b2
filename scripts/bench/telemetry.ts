import { benchGraphCost } from "./telemetry-graph.ts";
import { benchIngest } from "./telemetry-ingest.ts";
import { benchTraceSearch } from "./telemetry-search.ts";

/**
 * What telemetry costs, on SQLite and on PostgreSQL: access logs and spans from the wire to the store by processor time of the collector; the graph's cost
 * by traffic, edges and time; search among a million spans.
 */
export async function benchTelemetry(): Promise<void> {
  await benchIngest();
  await benchGraphCost();
  await benchTraceSearch();
}
