import { create, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { type Client, type ClientWritableStream, Metadata } from "@grpc/grpc-js";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  StreamMetricsMessage_IdentifierSchema,
  StreamMetricsMessageSchema,
} from "../gen/proto/envoy/service/metrics/v3/metrics_service_pb.js";
import { type MetricFamilySchema, MetricType } from "../gen/proto/io/prometheus/client/metrics_pb.js";
import type { Clock } from "../lib/clock.ts";
import type { Logger } from "../lib/logger.ts";
import { type Histogram, histogramBounds, type Stats } from "./stats.ts";

type Family = MessageInitShape<typeof MetricFamilySchema>;

export interface MetricsSinkOptions {
  node: Node;
  /** Undefined: not to be had now. */
  channel(): Client | undefined;
  stats(): Stats;
  /** Brings up to date what is made when somebody looks. */
  refresh(): void | Promise<void>;
  flushIntervalMs: number;
  clock: Clock;
  logger: Logger;
}

const method = "/envoy.service.metrics.v3.MetricsService/StreamMetrics";
const closeTimeoutMs = 1_000;

/**
 * Envoy's stats sink `envoy.stat_sinks.metrics_service`: sends what was used of the stats, as it stands, at every flush. What nobody takes is told by the
 * next flush, since counters are cumulative. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/metrics/v3/metrics_service.proto
 */
export class MetricsSink {
  readonly #options: MetricsSinkOptions;
  readonly #used = new Set<string>();
  #stream: ClientWritableStream<Uint8Array> | undefined;
  #blocked = false;
  #timer: { cancel(): void } | undefined;

  constructor(options: MetricsSinkOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, flushIntervalMs } = this.#options;
    this.#timer = clock.setTimeout(() => {
      void this.#flush();
      this.start();
    }, flushIntervalMs);
  }

  /** Sends what there is once more. */
  async close(): Promise<void> {
    if (this.#timer === undefined) return;
    this.#timer.cancel();
    this.#timer = undefined;
    await this.#flush();
    const stream = this.#stream;
    this.#stream = undefined;
    if (stream === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const given = this.#options.clock.setTimeout(resolve, closeTimeoutMs);
    stream.once("finish", resolve);
    stream.end();
    await promise;
    given.cancel();
  }

  /** What can't be told now is told by the next flush: no figure is worth the proxy. */
  async #flush(): Promise<void> {
    try {
      await this.#send();
    } catch (error) {
      this.#options.logger.warn({ err: error }, "stats were not sent");
    }
  }

  async #send(): Promise<void> {
    // A collector that does not read gets the next flush, and no queue of old ones.
    if (this.#blocked) return;
    const refreshed = this.#options.refresh();
    if (refreshed !== undefined) await refreshed;
    const isFirst = this.#stream === undefined;
    const stream = this.#stream ?? this.#open();
    if (stream === undefined) return;
    const { node, stats, clock } = this.#options;
    const message = create(StreamMetricsMessageSchema, {
      ...(isFirst && { identifier: create(StreamMetricsMessage_IdentifierSchema, { node }) }),
      envoyMetrics: familiesOf(stats(), this.#used, BigInt(Math.round(clock.now()))),
    });
    this.#blocked = !stream.write(toBinary(StreamMetricsMessageSchema, message));
  }

  #open(): ClientWritableStream<Uint8Array> | undefined {
    const channel = this.#options.channel();
    if (channel === undefined) return undefined;
    const forget = () => {
      if (this.#stream !== stream) return;
      this.#stream = undefined;
      this.#blocked = false;
    };
    const stream = channel.makeClientStreamRequest<Uint8Array, undefined>(
      method,
      (bytes) => Buffer.from(bytes),
      () => undefined,
      new Metadata(),
      {},
      forget,
    );
    stream.on("drain", () => {
      if (this.#stream === stream) this.#blocked = false;
    });
    stream.on("error", forget);
    this.#stream = stream;
    return stream;
  }
}

/** As Envoy does it: of counters and gauges those that ever were something else than nought, of histograms those with a sample. */
function familiesOf(stats: Stats, used: Set<string>, timestampMs: bigint): Family[] {
  const families: Family[] = [];
  const add = (name: string, type: MetricType, metric: NonNullable<Family["metric"]>[number]) =>
    families.push({ name, type, metric: [{ ...metric, timestampMs }] });
  for (const [name, { value }] of stats.counters) {
    if (value !== 0) add(name, MetricType.COUNTER, { counter: { value } });
  }
  for (const [name, { value }] of stats.gauges) {
    if (value !== 0) used.add(name);
    if (used.has(name)) add(name, MetricType.GAUGE, { gauge: { value } });
  }
  for (const [name, histogram] of stats.histograms) {
    if (histogram.count > 0) add(name, MetricType.HISTOGRAM, { histogram: bucketsOf(histogram) });
  }
  for (const name of used) if (!stats.gauges.has(name)) used.delete(name);
  return families;
}

function bucketsOf({ counts, count, sum }: Histogram) {
  let below = 0;
  const bucket = histogramBounds.map((upperBound, index) => {
    below += counts[index] ?? 0;
    return { upperBound, cumulativeCount: BigInt(below) };
  });
  return { sampleCount: BigInt(count), sampleSum: sum, bucket };
}
