import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ClusterStats } from "../../gen/proto/envoy/config/endpoint/v3/load_report_pb.js";
import {
  LoadReportingService,
  type LoadStatsRequest,
  LoadStatsRequestSchema,
  type LoadStatsResponse,
  LoadStatsResponseSchema,
} from "../../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import { Backoff } from "../../lib/backoff.ts";
import type { Clock } from "../../lib/clock.ts";
import { durationMs } from "../duration.ts";
import type { Counter, Stats } from "../stats.ts";

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
  readonly #backoff = new Backoff({ baseMs: 500, maxMs: 30_000 });
  readonly #requests: Counter;
  readonly #responses: Counter;
  readonly #errors: Counter;
  readonly #retries: Counter;
  #asked: LoadStatsResponse | undefined;
  #stream: Stream | undefined;
  #timer: { cancel(): void } | undefined;

  constructor(options: LoadReporterOptions) {
    this.#options = options;
    const counter = (name: string) => options.stats.counter(`load_reporter.${name}`);
    this.#requests = counter("requests");
    this.#responses = counter("responses");
    this.#errors = counter("errors");
    this.#retries = counter("retries");
  }

  start(): void {
    const channel = this.#options.channel();
    if (channel === undefined) {
      this.#again();
      return;
    }
    const { parent, name } = LoadReportingService.method.streamLoadStats;
    const stream: Stream = channel.makeBidiStreamRequest(
      `/${parent.typeName}/${name}`,
      (request: LoadStatsRequest) => Buffer.from(toBinary(LoadStatsRequestSchema, request)),
      (bytes: Buffer) => fromBinary(LoadStatsResponseSchema, bytes),
    );
    this.#stream = stream;
    stream.on("data", (response) => {
      if (this.#stream === stream) this.#follow(response);
    });
    stream.on("error", () => {}); // its status follows
    stream.on("status", () => {
      if (this.#stream !== stream) return;
      this.#errors.inc();
      this.#again();
    });
    this.#send([]);
  }

  stop(): void {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#timer?.cancel();
    stream?.cancel();
  }

  /** Nobody has heard what was counted: it begins anew with the next answer. */
  #again(): void {
    this.#stream = undefined;
    this.#timer?.cancel();
    this.#asked = undefined;
    this.#retries.inc();
    this.#timer = this.#options.clock.setTimeout(() => this.start(), this.#backoff.next());
  }

  #follow(response: LoadStatsResponse): void {
    this.#responses.inc();
    this.#backoff.reset();
    this.#options.loads.track(response, this.#asked === undefined);
    this.#asked = response;
    this.#schedule();
  }

  #schedule(): void {
    this.#timer?.cancel();
    const everyMs = durationMs(this.#asked?.loadReportingInterval) ?? 0;
    // Without an interval nothing is asked for; a shorter one is somebody's mistake, and costs both sides.
    if (everyMs > 0)
      this.#timer = this.#options.clock.setTimeout(() => void this.#report(), Math.max(everyMs, leastMs));
  }

  async #report(): Promise<void> {
    const stream = this.#stream;
    if (this.#asked === undefined) return;
    const loads = await this.#options.loads.report(this.#asked);
    if (stream === undefined || this.#stream !== stream) return;
    this.#send(loads);
    this.#schedule();
  }

  #send(clusterStats: LoadStatsRequest["clusterStats"]): void {
    this.#requests.inc();
    this.#stream?.write(create(LoadStatsRequestSchema, { node: this.#options.node, clusterStats }));
  }
}

type Stream = ClientDuplexStream<LoadStatsRequest, LoadStatsResponse>;

const leastMs = 100;
