import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { AccessLogSchema } from "../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { ApiVersion } from "../gen/proto/envoy/config/core/v3/config_source_pb.js";
import {
  type CommonGrpcAccessLogConfigSchema,
  HttpGrpcAccessLogConfigSchema,
  TcpGrpcAccessLogConfigSchema,
} from "../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import type { CustomTagSchema } from "../gen/proto/envoy/type/tracing/v3/custom_tag_pb.js";
import type { MetricRule } from "../model/telemetry-rules.ts";
import { type Direction, logNameOf, logTags } from "../wire/access-log-names.ts";
import { formatMetricChanges } from "../wire/metric-rules.ts";
import { peerHeader } from "../wire/peer.ts";
import { seconds } from "./duration.ts";
import type { TranslateOptions } from "./options.ts";
import { modeOf } from "./telemetry.ts";

const grpcStatus = "grpc-status";

type CustomTagInit = MessageInitShape<typeof CustomTagSchema>;

export type LogDirection = Direction;

/** Every request goes to the collector: who called (the destination's side knows it by header), whom, and by which rule. */
export const accessLog = (
  direction: LogDirection,
  options: TranslateOptions,
  countsMessages = false,
): MessageInitShape<typeof AccessLogSchema> => ({
  name: "envoy.access_loggers.http_grpc",
  configType: {
    case: "typedConfig",
    value: anyPack(
      HttpGrpcAccessLogConfigSchema,
      create(HttpGrpcAccessLogConfigSchema, {
        commonConfig: commonConfig(direction, options, [
          metadataTag(logTags.config, "route", "config"),
          metadataTag(logTags.rule, "route", "rule"),
          ...(countsMessages ? [messagesTag] : []),
        ]),
        additionalRequestHeadersToLog: [peerHeader, "traceparent", "content-type"],
        // gRPC answers a failure with 200: its own status follows in the trailers, or, where there is no body, stands among the headers.
        // https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses
        additionalResponseHeadersToLog: [grpcStatus],
        additionalResponseTrailersToLog: [grpcStatus],
      }),
    ),
  },
});

/** The filter's own form in plain text is `<requests>,<responses>`. */
const messagesTag: CustomTagInit = {
  tag: logTags.messages,
  type: { case: "value", value: "%FILTER_STATE(envoy.filters.http.grpc_stats:PLAIN)%" },
};

/** Every connection, when it is over. It has no route to tell the rule, so the chain's own is written into the log. */
export const tcpAccessLog = (
  direction: LogDirection,
  origin: { config: string; rule: string } | undefined,
  options: TranslateOptions,
): MessageInitShape<typeof AccessLogSchema> => ({
  name: "envoy.access_loggers.tcp_grpc",
  configType: {
    case: "typedConfig",
    value: anyPack(
      TcpGrpcAccessLogConfigSchema,
      create(TcpGrpcAccessLogConfigSchema, {
        commonConfig: commonConfig(
          direction,
          options,
          origin ? [literalTag(logTags.config, origin.config), literalTag(logTags.rule, origin.rule)] : [],
        ),
      }),
    ),
  },
});

const commonConfig = (
  direction: LogDirection,
  options: TranslateOptions,
  originTags: readonly CustomTagInit[],
): MessageInitShape<typeof CommonGrpcAccessLogConfigSchema> => ({
  logName: logNameOf(direction),
  grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName: options.collectorCluster } } },
  transportApiVersion: ApiVersion.V3,
  bufferFlushInterval: seconds(0.5),
  customTags: [
    metadataTag(logTags.destination, "host", "workload"),
    ...originTags,
    // The entry's own upstream_cluster is empty when no host was chosen, as for an injected abort.
    { tag: logTags.cluster, type: { case: "value", value: "%UPSTREAM_CLUSTER_RAW%" } },
    ...metricTags(modeOf(options, direction)?.metrics),
  ],
});

const metricTags = (rules: readonly MetricRule[] | undefined): CustomTagInit[] =>
  rules === undefined ? [] : [literalTag(logTags.metrics, formatMetricChanges(rules))];

export const literalTag = (tag: string, value: string): CustomTagInit => ({
  tag,
  type: { case: "literal", value: { value } },
});

/** A field of the `istio` metadata of the endpoint or the route that took the request. */
const metadataTag = (tag: string, kind: "host" | "route", field: string): CustomTagInit => ({
  tag,
  type: {
    case: "metadata",
    value: {
      kind: { kind: { case: kind, value: {} } },
      metadataKey: { key: "istio", path: [{ segment: { case: "key", value: field } }] },
    },
  },
});
