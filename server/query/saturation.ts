import type { ProxySaturation, Saturation, SaturationCause } from "../contract/index.ts";
import { LatencySketch } from "../lib/latency-sketch.ts";
import { rowsOf } from "./metric-groups.ts";
import type { Steps } from "./ranges.ts";
import type { MetricRow, MetricSeriesRow, TelemetryReader } from "./reader.ts";

const breaker = "envoy_cluster_circuit_breakers_default_remaining_";
/** What a circuit breaker counts: what is left of it, and what is at work. */
const breakers: readonly [SaturationCause, remaining: string, active: string][] = [
  ["cx", `${breaker}cx`, "envoy_cluster_upstream_cx_active"],
  ["rq", `${breaker}rq`, "envoy_cluster_upstream_rq_active"],
  ["pending", `${breaker}pending`, "envoy_cluster_upstream_rq_pending_active"],
  ["retries", `${breaker}retries`, ""],
];

const connections = "envoy_http_downstream_cx_active";
const requests = "envoy_http_downstream_rq_active";
const pending = "envoy_cluster_upstream_rq_pending_active";
const overflows = ["envoy_cluster_upstream_rq_pending_overflow", "envoy_cluster_upstream_cx_overflow"];
const memory = ["process.memory.usage", "envoy_server_memory_physical_size"];
const cpu = "process.cpu.time";
const concurrency = "envoy_server_concurrency";
const delay = /poll_delay_us$/;
const names: ReadonlySet<string> = new Set([
  ...breakers.flatMap(([, remaining, active]) => [remaining, active].filter(Boolean)),
  ...[connections, requests, pending, ...overflows, ...memory, cpu, concurrency],
]);

const mostSeries = 20_000;

/** How full each proxy is, by what it told of itself over the window; the fullest first. */
export async function readSaturation(
  reader: Pick<TelemetryReader, "metricSeries" | "metrics">,
  steps: Steps,
  atMs: number,
): Promise<Saturation> {
  const all = await reader.metricSeries({ limit: mostSeries });
  const series = all.filter(({ name, instance }) => (names.has(name) || delay.test(name)) && isNode(instance));
  const rows = await rowsOf(reader, steps, series);
  const told = series.filter(({ id }) => rows.has(id));
  const proxies = [...Map.groupBy(told, ({ instance }) => instance)].map(([id, own]) =>
    proxyOf(id, new Told(own, rows), steps.window.toMs),
  );
  return { at: atMs, proxies: proxies.toSorted((a, b) => (b.share ?? -1) - (a.share ?? -1)) };
}

/** Istio's form: `sidecar~<ip>~<name>.<namespace>~<domain>`. */
const node = /^[^~]+~[^~]*~(.+)\.([^.~]+)~/;
const isNode = (instance: string): boolean => node.test(instance);

/** What one proxy told, by the names of metrics. */
class Told {
  readonly #series: ReadonlyMap<string, readonly MetricSeriesRow[]>;
  readonly #rows: ReadonlyMap<number, readonly MetricRow[]>;

  constructor(series: readonly MetricSeriesRow[], rows: ReadonlyMap<number, readonly MetricRow[]>) {
    this.#series = Map.groupBy(series, ({ name }) => name);
    this.#rows = rows;
  }

  of(name: string): { cluster: string; rows: readonly MetricRow[] }[] {
    return (this.#series.get(name) ?? []).map(({ id, labels }) => ({
      cluster: labels.envoy_cluster_name ?? "",
      rows: this.#rows.get(id) ?? [],
    }));
  }

  /** When the first of it was told; Unix milliseconds. */
  sinceMs(): number {
    return Math.min(...[...this.#series.values()].flat().map(({ id }) => this.#rows.get(id)?.[0]?.atMs ?? Infinity));
  }

  /** The most at once, all series together; null where it tells of none. */
  most(name: string): number | null {
    const all = this.of(name);
    return all.length === 0 ? null : all.reduce((sum, { rows }) => sum + Math.max(...rows.map(({ max }) => max)), 0);
  }

  sum(name: string): number | null {
    const all = this.of(name);
    return all.length === 0 ? null : all.flatMap(({ rows }) => rows).reduce((sum, row) => sum + row.sum, 0);
  }

  last(name: string): number | null {
    return this.of(name)[0]?.rows.at(-1)?.last ?? null;
  }

  /** Of histograms whose names match, the 99th percentile of all together. */
  p99(matches: RegExp): number | null {
    const spread = new LatencySketch();
    for (const name of this.#series.keys()) {
      if (!matches.test(name)) continue;
      for (const { rows } of this.of(name)) for (const row of rows) if (row.spread) spread.mergeEncoded(row.spread);
    }
    return spread.quantile(0.99) ?? null;
  }
}

function proxyOf(id: string, told: Told, toMs: number): ProxySaturation {
  // One that has just begun did not use a minute's processor time.
  const seconds = Math.max(1, (toMs - told.sinceMs()) / 1000);
  const [, workload = id, namespace = ""] = node.exec(id) ?? [];
  const cores = Math.max(1, told.last(concurrency) ?? 1);
  const used = told.sum(cpu);
  const usedCores = used === null ? null : used / seconds;
  const full = [
    ...(usedCores === null ? [] : [{ by: "cpu" as const, cluster: null, share: Math.min(1, usedCores / cores) }]),
    ...breakers.flatMap((each) => fullBreakers(told, each)),
  ].toSorted((a, b) => b.share - a.share)[0];
  const delayUs = told.p99(delay);
  return {
    id,
    namespace,
    workload,
    share: full?.share ?? null,
    by: full?.by ?? null,
    cluster: full?.cluster ?? null,
    cpu: usedCores,
    cores,
    memoryBytes: memory.map((name) => told.last(name)).find((bytes) => bytes !== null) ?? null,
    loopDelayMsP99: delayUs === null ? null : delayUs / 1000,
    connections: told.most(connections),
    requests: told.most(requests),
    pending: told.most(pending),
    overflowRate: overflows.reduce((sum, name) => sum + (told.sum(name) ?? 0), 0) / seconds,
  };
}

/** A breaker's limit is what is left of it and what is taken: only limits that somebody set are told. */
function fullBreakers(told: Told, [by, remaining, active]: (typeof breakers)[number]) {
  const taken = new Map(told.of(active).map(({ cluster, rows }) => [cluster, rows]));
  return told.of(remaining).flatMap(({ cluster, rows }) => {
    const last = rows.at(-1);
    if (last === undefined) return [];
    const limit = last.last + (taken.get(cluster)?.at(-1)?.last ?? 0);
    const least = Math.min(...rows.map(({ min }) => min));
    return limit > 0 ? [{ by, cluster, share: Math.min(1, Math.max(0, 1 - least / limit)) }] : [];
  });
}
