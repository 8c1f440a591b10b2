import { toBinary } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { AccessLog } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import type { TypedExtensionConfig } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import type { SubstitutionFormatString } from "../../gen/proto/envoy/config/core/v3/substitution_format_string_pb.js";
import {
  type FileAccessLog,
  FileAccessLogSchema,
} from "../../gen/proto/envoy/extensions/access_loggers/file/v3/file_pb.js";
import {
  type CommonGrpcAccessLogConfig,
  CommonGrpcAccessLogConfigSchema,
  type HttpGrpcAccessLogConfig,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import {
  type OpenTelemetryAccessLogConfig,
  OpenTelemetryAccessLogConfigSchema,
} from "../../gen/proto/envoy/extensions/access_loggers/open_telemetry/v3/logs_service_pb.js";
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from "../../gen/proto/envoy/extensions/access_loggers/stream/v3/stream_pb.js";
import type { LogRecord } from "../../gen/proto/opentelemetry/proto/logs/v1/logs_pb.js";
import type { Clock } from "../../lib/clock.ts";
import { fail, ok, type Result } from "../../lib/result.ts";
import type { BatchExporter } from "../batch-exporter.ts";
import { durationMs } from "../duration.ts";
import { envoyGrpc, type GrpcChannels } from "../grpc/grpc-channels.ts";
import { type Clusters, GrpcSender } from "../grpc/grpc-sender.ts";
import type { AccessLogger } from "../record.ts";
import { Runtime } from "../runtime.ts";
import type { Stats } from "../stats.ts";
import { AlsCalls } from "./als-calls.ts";
import { AlsClient } from "./als-client.ts";
import { customTagReaders } from "./custom-tags.ts";
import type { EntryOptions } from "./encode-entry.ts";
import { accessLogFilter } from "./filter.ts";
import { defaultTextFormat, type Formatter, jsonFormatter, textFormatter } from "./formatters.ts";
import { defaultFlush, droppedLines, type FlushOptions, LogFile } from "./log-file.ts";
import { logRecordOf, otelLogs } from "./otel-logs.ts";

interface AccessLoggerDeps {
  node: Node;
  channels: GrpcChannels;
  /** Of the data path, for receivers that the bootstrap has no cluster for; absent: there are none. */
  clusters?: Clusters | undefined;
  stats: Stats;
  clock: Clock;
  /** What filters read shares and bounds from; absent: one without values. */
  runtime?: Runtime | undefined;
  /** Of files; absent: once a second. */
  flush?: FlushOptions | undefined;
  /** False: what is asked for is read and judged, and no file is opened. */
  writes?: boolean | undefined;
}

const none: Omit<EntryOptions, "customTags"> = { requestHeaders: [], responseHeaders: [], responseTrailers: [] };

type Made = Result<AccessLogger, string>;

/** They stay open until the proxy ends, so their number has a bound. */
const maxSinks = 64;

/**
 * Makes the access loggers that listeners ask for. Loggers of equal settings share one stream or file, so that a listener update neither
 * opens a second one nor loses what waits in the first.
 */
export class AccessLoggers {
  readonly #deps: AccessLoggerDeps;
  readonly #runtime: Runtime;
  readonly #clusters: Clusters;
  readonly #sender: GrpcSender;
  readonly #clients = new Map<string, AlsClient | AlsCalls>();
  readonly #exporters = new Map<string, BatchExporter<LogRecord>>();
  readonly #files = new Map<string, LogFile>();

  constructor(deps: AccessLoggerDeps) {
    this.#deps = deps;
    this.#runtime = deps.runtime ?? new Runtime();
    this.#clusters = deps.clusters ?? (() => new Map());
    this.#sender = new GrpcSender(deps.channels, this.#clusters);
  }

  /** One logger for all of a listener's `access_log`; undefined when there is none. Errors name what is not supported. */
  loggerFor(config: readonly AccessLog[]): Result<AccessLogger | undefined, string> {
    const loggers: AccessLogger[] = [];
    const errors: string[] = [];
    for (const entry of config) {
      const made = this.#make(entry);
      if (made.ok) loggers.push(made.value);
      else errors.push(...made.errors.map((error) => `access_log ${entry.name}: ${error}`));
    }
    if (errors.length > 0) return fail(...errors);
    if (loggers.length <= 1) return ok(loggers[0]);
    return ok({
      log(record) {
        for (const logger of loggers) logger.log(record);
      },
    });
  }

  /** Lines of other logs, which share files with those of requests; where there is no room for another file they are counted and lost. */
  lines(path: string): (line: string) => void {
    if (this.#deps.writes === false) return () => {};
    if (this.#isFull(path)) return () => this.#deps.stats.counter(droppedLines).inc();
    const file = this.#file(path);
    return (line) => file.write(line);
  }

  /** Goes on in the files that have the paths by now: the old ones were moved. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  /** Sends and writes what is left, each within its own time limit. */
  async close(): Promise<void> {
    await Promise.all(
      [...this.#clients.values(), ...this.#exporters.values(), ...this.#files.values()].map((sink) => sink.close()),
    );
  }

  #make({ configType, filter }: AccessLog): Made {
    if (configType.case === undefined) return fail("typed_config is required");
    const any = configType.value;
    const grpc = anyUnpack(any, HttpGrpcAccessLogConfigSchema);
    const tcp = anyUnpack(any, TcpGrpcAccessLogConfigSchema);
    const otel = anyUnpack(any, OpenTelemetryAccessLogConfigSchema);
    const stdout = anyUnpack(any, StdoutAccessLogSchema);
    const stderr = anyUnpack(any, StderrAccessLogSchema);
    const file = anyUnpack(any, FileAccessLogSchema);
    const logger = grpc
      ? this.#http(grpc)
      : tcp
        ? this.#grpc("tcp", tcp.commonConfig, none)
        : otel
          ? this.#otel(otel)
          : stdout
            ? this.#lines("/dev/stdout", streamFormatter(stdout))
            : stderr
              ? this.#lines("/dev/stderr", streamFormatter(stderr))
              : file
                ? this.#lines(file.path, fileFormatter(file))
                : fail(`${any.typeUrl} is not supported`);
    if (!logger.ok || filter === undefined) return logger;
    const admit = accessLogFilter(filter, { runtime: this.#runtime, random: Math.random });
    if (!admit.ok) return admit;
    const target = logger.value;
    return ok({
      log(record) {
        if (admit.value(record)) target.log(record);
      },
    });
  }

  #http(config: HttpGrpcAccessLogConfig): Made {
    return this.#grpc("http", config.commonConfig, {
      requestHeaders: config.additionalRequestHeadersToLog.map((name) => name.toLowerCase()),
      responseHeaders: config.additionalResponseHeadersToLog.map((name) => name.toLowerCase()),
      responseTrailers: config.additionalResponseTrailersToLog.map((name) => name.toLowerCase()),
    });
  }

  #grpc(
    kind: "http" | "tcp",
    common: CommonGrpcAccessLogConfig | undefined,
    fields: Omit<EntryOptions, "customTags">,
  ): Made {
    if (common === undefined || common.logName === "") return fail("common_config.log_name is required");
    const service = envoyGrpc(common.grpcService, "common_config");
    if (!service.ok) return service;
    if (common.filterStateObjectsToLog.length > 0) return fail("filter_state_objects_to_log is not supported");
    const customTags = customTagReaders(common.customTags);
    if (!customTags.ok) return customTags;
    const options: EntryOptions = { ...fields, customTags: customTags.value };
    const { node, channels, stats, clock } = this.#deps;
    const settings = toBinary(CommonGrpcAccessLogConfigSchema, { ...common, customTags: [] });
    const key = `${kind} ${Buffer.from(settings).toString("base64")}`;
    if (this.#clients.size >= maxSinks && !this.#clients.has(key))
      return fail(`more than ${maxSinks} different streams`);
    const client = getOrMake(this.#clients, key, () => {
      // Envoy's default: 1 s.
      const flushIntervalMs = durationMs(common.bufferFlushInterval) ?? 1_000;
      const shared = { node, logName: common.logName, kind, flushIntervalMs, stats, clock };
      const { cluster } = service.value;
      if (!channels.has(cluster)) return new AlsCalls({ ...shared, to: service.value, clusters: this.#clusters });
      // Envoy's default: 16 KiB.
      const bufferSizeBytes = common.bufferSizeBytes ?? 16_384;
      return new AlsClient({ ...shared, bufferSizeBytes, channel: () => channels.channel(cluster) });
    });
    return ok({ log: (record) => client.append(record, options) });
  }

  #otel(config: OpenTelemetryAccessLogConfig): Made {
    const { commonConfig: common } = config;
    const service = envoyGrpc(common?.grpcService, "common_config");
    if (!service.ok) return service;
    if (config.formatters.some((it) => !isBuiltIn(it))) return fail("formatters is not supported");
    const made = logRecordOf(config);
    if (!made.ok) return made;
    const key = Buffer.from(toBinary(OpenTelemetryAccessLogConfigSchema, config)).toString("base64");
    if (this.#exporters.size >= maxSinks && !this.#exporters.has(key))
      return fail(`more than ${maxSinks} different streams`);
    const exporter = getOrMake(this.#exporters, key, () =>
      otelLogs({
        ...this.#deps,
        config,
        to: service.value,
        sender: this.#sender,
        flushIntervalMs: durationMs(common?.bufferFlushInterval) ?? 1_000,
      }),
    );
    return ok({ log: (record) => exporter.add(made.value(record)) });
  }

  #lines(path: string, formatter: Result<Formatter, string>): Made {
    if (!formatter.ok) return formatter;
    if (path === "") return fail("path is required");
    const format = formatter.value;
    if (this.#isFull(path)) return fail(`more than ${maxSinks} different files`);
    if (this.#deps.writes === false) return ok({ log() {} });
    const file = this.#file(path);
    return ok({ log: (record) => file.write(format(record)) });
  }

  #isFull(path: string): boolean {
    return this.#files.size >= maxSinks && !this.#files.has(path);
  }

  #file(path: string): LogFile {
    const { stats, clock, flush = defaultFlush } = this.#deps;
    return getOrMake(this.#files, path, () => new LogFile(path, { stats, clock, flush }));
  }
}

type StreamFormat = { case?: string; value?: SubstitutionFormatString };

function streamFormatter({ accessLogFormat }: { accessLogFormat: StreamFormat }): Result<Formatter, string> {
  return accessLogFormat.value === undefined ? textFormatter(defaultTextFormat) : substitution(accessLogFormat.value);
}

function fileFormatter({ accessLogFormat }: FileAccessLog): Result<Formatter, string> {
  switch (accessLogFormat.case) {
    case "format":
      return textFormatter(accessLogFormat.value || defaultTextFormat);
    case "logFormat":
      return substitution(accessLogFormat.value);
    case "jsonFormat":
    case "typedJsonFormat":
      return jsonFormatter(accessLogFormat.value);
    default:
      return textFormatter(defaultTextFormat);
  }
}

function substitution({ format, formatters, omitEmptyValues }: SubstitutionFormatString): Result<Formatter, string> {
  const unknown = formatters.filter((it) => !isBuiltIn(it));
  if (unknown.length > 0) return fail(...unknown.map(({ name }) => `log_format.formatters ${name} is not supported`));
  if (format.case === "textFormat") return textFormatter(format.value, omitEmptyValues);
  if (format.case === "jsonFormat") return jsonFormatter(format.value, omitEmptyValues);
  if (format.case === "textFormatSource" && format.value.specifier.case === "inlineString") {
    return textFormatter(format.value.specifier.value, omitEmptyValues);
  }
  return fail("log_format needs text_format, json_format or text_format_source.inline_string");
}

/** What these add to the language is always known here. */
const builtIn = new Set([
  "envoy.extensions.formatter.cel.v3.Cel",
  "envoy.extensions.formatter.metadata.v3.Metadata",
  "envoy.extensions.formatter.req_without_query.v3.ReqWithoutQuery",
]);

const isBuiltIn = ({ typedConfig }: TypedExtensionConfig): boolean =>
  builtIn.has(typedConfig?.typeUrl.split("/").at(-1) ?? "");

function getOrMake<T>(map: Map<string, T>, key: string, make: () => T): T {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
