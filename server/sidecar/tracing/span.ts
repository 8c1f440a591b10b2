import { create, type MessageInitShape } from "@bufbuild/protobuf";
import type { KeyValueSchema } from "../../gen/proto/opentelemetry/proto/common/v1/common_pb.js";
import {
  type Span,
  Span_SpanKind,
  SpanSchema,
  Status_StatusCode,
} from "../../gen/proto/opentelemetry/proto/trace/v1/trace_pb.js";
import type { CustomTagReader } from "../access-log/custom-tags.ts";
import type { RequestRecord, TraceContext } from "../record.ts";
import { shortFlags } from "../response-flags.ts";

export interface SpanOptions {
  direction: "inbound" | "outbound";
  nodeId: string;
  zone: string;
  /** HCM's tracing.max_path_tag_length. */
  maxPathLength: number;
  customTags: readonly CustomTagReader[];
}

/** The span of one request under Envoy's name and attributes. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/observability/tracing */
export function makeSpan(context: TraceContext, record: RequestRecord, options: SpanOptions): Span {
  const start = BigInt(Math.round(record.startMs * 1000)) * 1000n;
  const failed = record.responseCode === 0 || record.responseCode >= 500;
  return create(SpanSchema, {
    traceId: Buffer.from(context.traceId, "hex"),
    spanId: Buffer.from(context.spanId, "hex"),
    parentSpanId: Buffer.from(context.parentSpanId, "hex"),
    // Envoy names a span after the route's decorator, else after the direction, an outgoing one also after the host.
    name: record.operation || (options.direction === "inbound" ? "ingress" : `egress ${record.authority}`),
    kind: options.direction === "inbound" ? Span_SpanKind.SERVER : Span_SpanKind.CLIENT,
    startTimeUnixNano: start,
    endTimeUnixNano: start + BigInt(Math.round(record.durationMs * 1000)) * 1000n,
    attributes: attributes(record, options, failed),
    ...(failed ? { status: { code: Status_StatusCode.ERROR } } : {}),
  });
}

function attributes(
  record: RequestRecord,
  options: SpanOptions,
  failed: boolean,
): MessageInitShape<typeof KeyValueSchema>[] {
  const list: MessageInitShape<typeof KeyValueSchema>[] = [];
  const add = (key: string, value: string) => list.push({ key, value: { value: { case: "stringValue", value } } });
  const path = (record.originalPath || record.path).slice(0, options.maxPathLength);
  add("node_id", options.nodeId);
  add("zone", options.zone);
  add("guid:x-request-id", record.requestId);
  add("http.url", `${record.scheme}://${record.authority}${path}`);
  add("http.method", record.method);
  add("downstream_cluster", "-");
  add("user_agent", record.userAgent || "-");
  add("http.protocol", record.protocol);
  add("peer.address", record.downstreamRemoteAddress);
  add("request_size", String(record.requestBodyBytes));
  add("response_size", String(record.responseBodyBytes));
  add("component", "proxy");
  if (record.upstreamCluster !== "") {
    add("upstream_cluster", record.upstreamCluster);
    add("upstream_cluster.name", record.upstreamCluster);
  }
  if (record.upstreamRemoteAddress !== "") {
    add("upstream_address", `${record.upstreamRemoteAddress}:${record.upstreamRemotePort}`);
  }
  add("http.status_code", String(record.responseCode));
  add("response_flags", shortFlags(record.responseFlags));
  if (failed) add("error", "true");
  for (const tag of options.customTags) {
    const value = tag.read(record);
    if (value !== "") add(tag.name, value);
  }
  return list;
}
