import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { HttpConnectionManager_Tracing } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { systemClock } from "../../lib/clock.ts";
import type { Logger } from "../../lib/logger.ts";
import { unwrap } from "../../lib/result.ts";
import { AccessLoggers } from "../access-log/access-loggers.ts";
import { debugLog } from "../access-log/debug-log.ts";
import { IstioMetrics } from "../access-log/istio-metrics.ts";
import type { FlushOptions } from "../access-log/log-file.ts";
import { metricLabels } from "../access-log/metric-labels.ts";
import type { GrpcChannels } from "../grpc/grpc-channels.ts";
import type { Clusters } from "../grpc/grpc-sender.ts";
import type { AccessLogger, Tracer } from "../record.ts";
import type { Runtime } from "../runtime.ts";
import type { Stats } from "../stats.ts";
import { Tracers } from "../tracing/tracers.ts";

interface RequestTelemetryOptions {
  node: Node;
  channels: GrpcChannels;
  /** Of the data path. */
  clusters: Clusters;
  stats: Stats;
  runtime: Runtime;
  /** The proxy's own. */
  logger: Logger;
  /** When files of access logs are written. */
  flush: FlushOptions | undefined;
  /** False: no file is opened. */
  writes: boolean;
}

/** What a finished request leaves behind: log entries, Istio's metrics, spans. */
export class RequestTelemetry {
  readonly istio: IstioMetrics;
  readonly #loggers: AccessLoggers;
  readonly #tracers: Tracers;
  readonly #debug: AccessLogger;

  constructor({ node, channels, clusters, stats, runtime, logger, flush, writes }: RequestTelemetryOptions) {
    const clock = systemClock;
    this.#loggers = new AccessLoggers({ node, channels, clusters, stats, clock, runtime, flush, writes });
    this.#tracers = new Tracers({ node, channels, clusters, stats, clock });
    this.istio = new IstioMetrics(node);
    this.#debug = debugLog(logger);
  }

  accessLogger(configs: AccessLog[], direction: "inbound" | "outbound"): AccessLogger {
    const metrics = this.istio.logger(direction, metricLabels(configs));
    return each(metrics, this.#debug, unwrap(this.#loggers.loggerFor(configs)));
  }

  connectionLogger(configs: AccessLog[]): AccessLogger {
    return unwrap(this.#loggers.loggerFor(configs)) ?? silent;
  }

  /** Lines of a file of the proxy's own, written as access logs are. */
  lines(path: string): (line: string) => void {
    return this.#loggers.lines(path);
  }

  tracer(tracing: HttpConnectionManager_Tracing): Tracer | undefined {
    return unwrap(this.#tracers.tracerFor(tracing));
  }

  reopenLogs(): void {
    this.#loggers.reopen();
  }

  /** Sends and writes the last of it. */
  async close(): Promise<void> {
    await Promise.all([this.#loggers.close(), this.#tracers.close()]);
  }
}

const silent: AccessLogger = { log: () => {} };

function each(first: AccessLogger, second: AccessLogger, third: AccessLogger = silent): AccessLogger {
  return {
    log(record) {
      first.log(record);
      second.log(record);
      third.log(record);
    },
  };
}
