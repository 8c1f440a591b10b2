import { createHash } from "node:crypto";
import type { HistogramValue, MetricState } from "../../telemetry/metric-record.ts";
import type { Row, Sql } from "./sql.ts";

/** A source that was silent for longer counts as one that nobody has seen. */
export const metricStateMs = 7 * 86_400_000;

/** A row of `metric_state`: identity, time_ms, start_ms, value, histogram. */
export type StateValues = [identity: Buffer, timeMs: number, startMs: number, value: number, histogram: string];

/** Those that can be stored; a value that is no finite number tells nothing of growth. */
export const stateRows = (states: readonly MetricState[]): StateValues[] =>
  states
    .filter(({ value }) => Number.isFinite(value))
    .map(({ seriesId, timeMs, startMs, value, histogram }) => [
      identityOf(seriesId),
      Math.floor(timeMs),
      Math.floor(startMs),
      value,
      histogram === undefined ? "" : JSON.stringify(histogram),
    ]);

const atOnce = 500;

/** What is known of these series, by the ids that were asked for. */
export async function readMetricStates(database: Sql, ids: readonly string[]): Promise<Map<string, MetricState>> {
  const states = new Map<string, MetricState>();
  for (let from = 0; from < ids.length; from += atOnce) {
    const byIdentity = new Map(ids.slice(from, from + atOnce).map((id) => [identityOf(id).toString("hex"), id]));
    const identities = [...byIdentity.keys()].map((hex) => Buffer.from(hex, "hex"));
    const sql = `SELECT * FROM metric_state WHERE identity IN (${identities.map(() => "?").join(", ")})`;
    for (const row of await database.all(sql, ...identities)) {
      const seriesId = byIdentity.get(Buffer.from(row.identity as Uint8Array).toString("hex"));
      if (seriesId !== undefined) states.set(seriesId, stateOf(seriesId, row));
    }
  }
  return states;
}

const stateOf = (seriesId: string, { time_ms, start_ms, value, histogram }: Row): MetricState => ({
  seriesId,
  timeMs: Number(time_ms),
  startMs: Number(start_ms),
  value: Number(value),
  histogram: histogram === "" ? undefined : histogramOf(String(histogram)),
});

/** JSON has no infinite numbers, which the bounds of an exponential histogram may reach. */
function histogramOf(text: string): HistogramValue {
  const { bounds, ...rest } = JSON.parse(text) as HistogramValue & { bounds: (number | null)[] };
  return { ...rest, bounds: bounds.map((bound) => bound ?? Number.POSITIVE_INFINITY) };
}

const identityOf = (seriesId: string): Buffer => createHash("sha256").update(seriesId).digest();
