import type { Client } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ClusterStats } from "../../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import {
  LoadReportingService,
  type LoadStatsRequest,
  type LoadStatsRequestSchema,
  type LoadStatsResponse,
  type LoadStatsResponseSchema,
} from "../../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import type { Clock } from "../../lib/clock.ts";
import { durationMs } from "../duration.ts";
import type { Counter, Stats } from "../stats.ts";
import { LastingStream } from "./lasting-stream.ts";

/** Who counts what the server asks for. */
export interface LoadSource {
  /** Counts what is asked for from now on; with `anew` also what was counted before. */
  track(asked: LoadStatsResponse, anew: boolean): void;
  /** What came since the last report, or since it is counted. */
  report(asked: LoadStatsResponse): ClusterStats[] | Promise<ClusterStats[]>;
}

export interface LoadReporterOptions {
  node: Node;
  /** Undefined: not to be had now. */
  channel(): Client | undefined;
  loads: LoadSource;
  stats: Stats;
  clock: Clock;
}

/**
 * Tells a server what load goes to which cluster and locality: for the clusters that it asks for, as often as it says, for as long as the stream lives.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/service/load_stats/v3/lrs.proto
 */
export class LoadReporter {
  readonly #options: LoadReporterOptions;
  readonly #stream: LastingStream<typeof LoadStatsRequestSchema, typeof LoadStatsResponseSchema>;
  readonly #requests: Counter;
  readonly #responses: Counter;
  #asked: LoadStatsResponse | undefined;

  constructor(options: LoadReporterOptions) {
    const { channel, clock, stats } = options;
    this.#options = options;
    const counter = (name: string) => stats.counter(`load_reporter.${name}`);
    this.#requests = counter("requests");
    this.#responses = counter("responses");
    const errors = counter("errors");
    const retries = counter("retries");
    this.#stream = new LastingStream({
      method: LoadReportingService.method.streamLoadStats,
      channel,
      clock,
      onOpen: () => this.#send([]),
      onMessage: (response) => this.#follow(response),
      onLost: (ended) => {
        if (ended) errors.inc();
        retries.inc();
        // Nobody has heard what was counted: it begins anew with the next answer.
        this.#asked = undefined;
      },
    });
  }

  start(): void {
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
  }

  #follow(response: LoadStatsResponse): void {
    this.#responses.inc();
    this.#options.loads.track(response, this.#asked === undefined);
    this.#asked = response;
    this.#schedule();
  }

  #schedule(): void {
    const everyMs = durationMs(this.#asked?.loadReportingInterval) ?? 0;
    // Without an interval nothing is asked for.
    if (everyMs > 0) this.#stream.later(() => void this.#report(), everyMs);
    else this.#stream.rest();
  }

  async #report(): Promise<void> {
    const { current } = this.#stream;
    if (this.#asked === undefined) return;
    const loads = await this.#options.loads.report(this.#asked);
    if (current === undefined || this.#stream.current !== current) return;
    this.#send(loads);
    this.#schedule();
  }

  #send(clusterStats: LoadStatsRequest["clusterStats"]): void {
    this.#requests.inc();
    this.#stream.send({ node: this.#options.node, clusterStats });
  }
}
