import { systemClock } from "../../lib/clock.ts";
import { measureLoopDelay } from "../loop-delay.ts";
import { MetricsSink } from "../metrics-sink.ts";
import { HealthDiscovery } from "../xds/health-discovery.ts";
import { LoadReporter } from "../xds/load-reporter.ts";
import { LocalLoads } from "../xds/local-loads.ts";
import { gatheredSources } from "./admin-sources.ts";
import type { Parts } from "./parts.ts";

/** What the proxy tells of itself and of what it sees: the load that it sends to whom, the health of endpoints that it was asked to probe, its own metrics. */
export class Reports {
  readonly #parts: Parts;
  #loads: LoadReporter | undefined;
  #health: HealthDiscovery | undefined;
  #sinks: MetricsSink[] = [];
  #stopMeasuring: () => void = () => {};

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** A worker tells its main process, and nobody else. */
  start(): void {
    const { link } = this.#parts.options;
    if (link === undefined) {
      this.#startLoads();
      this.#startProbing();
    }
    this.#startSinks(link === undefined);
  }

  /** Sends the last metrics. */
  async close(): Promise<void> {
    this.#loads?.stop();
    this.#health?.stop();
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

  #startProbing(): void {
    const { config, channels, options, plane, resources, stats } = this.#parts;
    const { healthDiscovery: cluster, node } = config;
    if (cluster === undefined) return;
    this.#health = new HealthDiscovery({
      node,
      channel: () => channels.channel(cluster),
      plane,
      // They may need secrets that nothing needed before.
      onAsked: () => resources.refresh(),
      stats,
      clock: systemClock,
      logger: options.logger,
    });
    this.#health.start();
  }

  /** Each process measures its own loop; the one that has the admin tells of all. */
  #startSinks(tells: boolean): void {
    const { config, channels, fleet, options, stats: own } = this.#parts;
    const { logger } = options;
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
      return new MetricsSink({ node, channel, stats, refresh, flushIntervalMs, clock: systemClock, logger });
    });
    for (const sink of this.#sinks) sink.start();
  }
}
