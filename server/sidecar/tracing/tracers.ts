import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Node } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { OpenTelemetryConfigSchema } from "../../gen/proto/envoy/config/trace/v3/opentelemetry_pb.js";
import type { HttpConnectionManager_Tracing } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type ExportTraceServiceRequest,
  TraceService,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import type { Span } from "../../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import type { Clock } from "../../lib/clock.ts";
import { fail, ok, type Result } from "../../lib/result.ts";
import { customTagReaders } from "../access-log/custom-tags.ts";
import type { BatchExporter } from "../batch-exporter.ts";
import { type EnvoyGrpc, envoyGrpc, type GrpcChannels } from "../grpc/grpc-channels.ts";
import { type Clusters, GrpcSender } from "../grpc/grpc-sender.ts";
import { getJoined } from "../http/headers.ts";
import type { RequestRecord, TraceContext, Tracer } from "../record.ts";
import type { Stats } from "../stats.ts";
import { randomHex } from "./random-ids.ts";
import { makeSpan, type SpanOptions } from "./span.ts";
import { spanExporter } from "./span-exporter.ts";
import { extractContext, type IncomingContext } from "./trace-context.ts";

interface TracerDeps {
  node: Node;
  channels: GrpcChannels;
  /** Of the data path, for collectors that the bootstrap has no cluster for; absent: there are none. */
  clusters?: Clusters | undefined;
  stats: Stats;
  clock: Clock;
  random?: () => number;
}

/** Makes the tracers that HTTP connection managers ask for; those that report to the same place share one exporter. */
export class Tracers {
  readonly #deps: TracerDeps;
  readonly #sender: GrpcSender;
  readonly #exporters = new Map<string, BatchExporter<Span>>();

  constructor(deps: TracerDeps) {
    this.#deps = deps;
    this.#sender = new GrpcSender(deps.channels, deps.clusters ?? (() => new Map()));
  }

  /** Undefined when the connection manager doesn't trace. Errors name what is not supported. */
  tracerFor(config: HttpConnectionManager_Tracing | undefined): Result<Tracer | undefined, string> {
    const provider = config?.provider;
    if (config === undefined || provider === undefined) return ok(undefined);
    const where = `tracing provider ${provider.name}`;
    const { configType } = provider;
    if (configType.case === undefined) return fail(`${where}: typed_config is required`);
    const otel = anyUnpack(configType.value, OpenTelemetryConfigSchema);
    if (otel === undefined) return fail(`${where}: ${configType.value.typeUrl} is not supported`);
    if (otel.httpService) return fail(`${where}: http_service is not supported, use grpc_service`);
    if (otel.sampler) return fail(`${where}: sampler ${otel.sampler.name} is not supported`);
    if (otel.resourceDetectors.length > 0) return fail(`${where}: resource_detectors is not supported`);
    const service = envoyGrpc(otel.grpcService, where);
    if (!service.ok) return service;
    const customTags = customTagReaders(config.customTags);
    if (!customTags.ok) return fail(...customTags.errors.map((error) => `tracing: ${error}`));
    const { node, random = Math.random } = this.#deps;
    const options = {
      nodeId: node.id,
      zone: node.locality?.zone ?? "",
      maxPathLength: config.maxPathTagLength ?? 256,
      customTags: customTags.value,
    };
    const exporter = this.#exporter(service.value, otel.serviceName || "unknown_service:envoy");
    if (exporter === undefined) return fail(`${where}: more than ${maxExporters} services`);
    return ok(new OpenTelemetryTracer(samplingOf(config), options, exporter, random));
  }

  async close(): Promise<void> {
    await Promise.all([...this.#exporters.values()].map((exporter) => exporter.close()));
  }

  #exporter(to: EnvoyGrpc, serviceName: string): BatchExporter<Span> | undefined {
    const key = `${to.cluster}\n${to.authority}\n${serviceName}`;
    const known = this.#exporters.get(key);
    if (known !== undefined || this.#exporters.size >= maxExporters) return known;
    const { stats, clock } = this.#deps;
    const send = (request: ExportTraceServiceRequest) =>
      this.#sender.send(to, TraceService.method.export, request, clock.now());
    const made = spanExporter({ serviceName, stats, clock, send });
    this.#exporters.set(key, made);
    return made;
  }
}

const maxExporters = 64;

/** Shares from 0 to 1. */
interface Sampling {
  client: number;
  random: number;
  overall: number;
}

/** All three default to 100 %. */
function samplingOf({ clientSampling, randomSampling, overallSampling }: HttpConnectionManager_Tracing): Sampling {
  const share = (percent: { value: number } | undefined) => (percent?.value ?? 100) / 100;
  return { client: share(clientSampling), random: share(randomSampling), overall: share(overallSampling) };
}

class OpenTelemetryTracer implements Tracer {
  readonly #sampling: Sampling;
  readonly #options: Record<"inbound" | "outbound", SpanOptions>;
  readonly #exporter: BatchExporter<Span>;
  readonly #random: () => number;
  readonly #directions = new WeakMap<TraceContext, "inbound" | "outbound">();

  constructor(
    sampling: Sampling,
    options: Omit<SpanOptions, "direction">,
    exporter: BatchExporter<Span>,
    random: () => number,
  ) {
    this.#sampling = sampling;
    this.#options = {
      inbound: { ...options, direction: "inbound" },
      outbound: { ...options, direction: "outbound" },
    };
    this.#exporter = exporter;
    this.#random = random;
  }

  begin(headers: readonly string[], direction: "inbound" | "outbound"): TraceContext {
    const incoming = extractContext(headers);
    const traceId = incoming?.traceId || randomHex(32);
    const spanId = randomHex(16);
    const sampled = this.#decide(incoming, headers);
    const propagate = ["traceparent", `00-${traceId}-${spanId}-${sampled ? "01" : "00"}`];
    if (incoming?.tracestate) propagate.push("tracestate", incoming.tracestate);
    const context = { traceId, spanId, parentSpanId: incoming?.parentSpanId ?? "", sampled, propagate };
    if (sampled) this.#directions.set(context, direction);
    return context;
  }

  end(context: TraceContext, record: RequestRecord): void {
    if (!context.sampled) return;
    this.#exporter.add(makeSpan(context, record, this.#options[this.#directions.get(context) ?? "outbound"]));
  }

  /**
   * A caller's decision stands; `x-client-trace-id` asks for a trace (client sampling); else chance decides (random sampling).
   * Overall sampling caps what we decide ourselves, not what was decided upstream, or traces would have holes.
   */
  #decide(incoming: IncomingContext | undefined, headers: readonly string[]): boolean {
    if (incoming?.sampled !== undefined) return incoming.sampled;
    const { client, random, overall } = this.#sampling;
    const share = !getJoined(headers, "x-client-trace-id") ? random : Math.max(client, random);
    return this.#random() < Math.min(share, overall);
  }
}
