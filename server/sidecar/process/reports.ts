import { systemClock } from "../../lib/clock.ts";
import { measureLoopDelay } from "../loop-delay.ts";
import { MetricsSink } from "../metrics-sink.ts";
import { LoadReporter } from "../xds/load-reporter.ts";
import { LocalLoads } from "../xds/local-loads.ts";
import { gatheredSources } from "./admin-sources.ts";
import type { Parts } from "./parts.ts";

/** What is reported of the proxy as a whole: the load that it sends to whom, and its own metrics. */
export class Reports {
  readonly #parts: Parts;
  #loads: LoadReporter | undefined;
  #sinks: MetricsSink[] = [];
  #stopMeasuring: () => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A worker tells its main process, and nobody else. */
  start(): void {
    const { link } = this.#parts.options;
    if (link === undefined) this.#startLoads();
    this.#startSinks(link === undefined);
  }

  /** Sends the last metrics. */
  async close(): Promise<void> {
    this.#loads?.stop();
    this.#stopMeasuring();
    await Promise.all(this.#sinks.map((sink) => sink.close()));
  }

  #startLoads(): void {
    const { config, channels, fleet, plane, stats } = this.#parts;
    const { loadReports: cluster, node } = config;
    if (cluster === undefined) return;
    const channel = () => channels.channel(cluster);
    const loads = fleet?.loads ?? new LocalLoads(plane.clusterMap);
    this.#loads = new LoadReporter({ node, channel, loads, stats, clock: systemClock });
    this.#loads.start();
  }

  /** Each process measures its own loop; the one that has the admin tells of all. */
  #startSinks(tells: boolean): void {
    const { config, channels, fleet, stats: own } = this.#parts;
    const { statsSinks, node } = config;
    if (statsSinks.length === 0) return;
    if (fleet === undefined) this.#stopMeasuring = measureLoopDelay(own, systemClock);
    if (!tells) return;
    const { stats, refreshStats, gather } = gatheredSources(this.#parts);
    const refresh = async () => {
      await gather?.();
      refreshStats();
    };
    this.#sinks = statsSinks.map(({ cluster, flushIntervalMs }) => {
      const channel = () => channels.channel(cluster);
      return new MetricsSink({ node, channel, stats, refresh, flushIntervalMs, clock: systemClock });
    });
    for (const sink of this.#sinks) sink.start();
  }
}
