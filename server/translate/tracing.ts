import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { Tracing_HttpSchema } from "../gen/proto/envoy/config/trace/v3/http_tracer_pb.js";
import { OpenTelemetryConfigSchema } from "../gen/proto/envoy/config/trace/v3/opentelemetry_pb.js";
import {
  ZipkinConfig_CollectorEndpointVersion,
  ZipkinConfigSchema,
} from "../gen/proto/envoy/config/trace/v3/zipkin_pb.js";
import type { HttpConnectionManager_TracingSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { CustomTagSchema } from "../gen/proto/envoy/type/tracing/v3/custom_tag_pb.js";
import type { MeshProxy } from "../model/proxy.ts";
import type { ExtensionProvider } from "../model/specs.ts";
import type { CustomTag } from "../model/telemetry-rules.ts";
import type { LogDirection } from "./access-log.ts";
import { literalTag } from "./access-log.ts";
import { duration, seconds } from "./duration.ts";
import type { TranslateOptions } from "./options.ts";
import type { ProviderCluster } from "./provider-clusters.ts";
import { requestIds } from "./request-ids.ts";
import { modeOf, type TracerSettings } from "./telemetry.ts";

type TracingInit = MessageInitShape<typeof HttpConnectionManager_TracingSchema>;
type TracerInit = MessageInitShape<typeof Tracing_HttpSchema>;
type TagInit = MessageInitShape<typeof CustomTagSchema>;

/** A request that already carries a trace keeps its sampling decision; of the others a share is sampled. */
export function tracing(
  direction: LogDirection,
  proxy: MeshProxy,
  options: TranslateOptions,
): { tracing?: TracingInit; requestIdExtension?: typeof requestIds } {
  const wanted = modeOf(options, direction)?.tracing;
  if (wanted === "off") return {};
  return {
    tracing: {
      clientSampling: { value: 100 },
      randomSampling: { value: wanted?.sampling ?? options.tracingSamplingPercent },
      overallSampling: { value: 100 },
      ...(wanted && changes(wanted, proxy, options)),
      provider: tracerOf(wanted, proxy, options),
    },
    // The bundled sidecar never goes by it.
    ...(wanted?.useRequestId === false && !proxy.bundled && { requestIdExtension: requestIds }),
  };
}

function changes(
  { customTags, istioTags, provider }: TracerSettings,
  proxy: MeshProxy,
  { clusterId, telemetry }: TranslateOptions,
): { customTags?: TagInit[]; maxPathTagLength?: number } {
  const maxLength = (provider?.zipkin ?? provider?.opentelemetry)?.maxTagLength;
  const own = istioTags ? tagsOf(proxy, clusterId, telemetry?.meshId ?? "") : [];
  const all = [...customTags.map(([tag, value]) => ({ tag, type: typeOf(value) })), ...own];
  return { ...(all.length > 0 && { customTags: all }), ...(maxLength && { maxPathTagLength: maxLength }) };
}

/** Istio's, of who reports a span. */
const tagsOf = (proxy: MeshProxy, clusterId: string, meshId: string): TagInit[] => [
  literalTag("istio.canonical_revision", proxy.canonicalRevision),
  literalTag("istio.canonical_service", proxy.canonicalService),
  literalTag("istio.cluster_id", clusterId),
  literalTag("istio.mesh_id", meshId),
  literalTag("istio.namespace", proxy.namespace),
];

function typeOf({ literal, environment, header, formatter }: CustomTag): NonNullable<TagInit["type"]> {
  if (environment) {
    const { name, defaultValue = "" } = environment;
    return { case: "environment", value: { name, defaultValue } };
  }
  if (header) return { case: "requestHeader", value: { name: header.name, defaultValue: header.defaultValue ?? "" } };
  if (formatter) return { case: "value", value: formatter.value };
  return { case: "literal", value: { value: literal?.value ?? "" } };
}

function tracerOf(settings: TracerSettings | undefined, proxy: MeshProxy, options: TranslateOptions): TracerInit {
  const { provider, to } = settings ?? {};
  const serviceName = `${proxy.canonicalService}.${proxy.namespace}`;
  if (provider?.zipkin && to) return zipkin(provider.zipkin, to);
  if (provider?.opentelemetry?.http && to) return openTelemetryOverHttp(provider.opentelemetry.http, serviceName, to);
  const grpc = to ? { clusterName: to.cluster, authority: to.hostname } : { clusterName: options.collectorCluster };
  return openTelemetry({ serviceName, grpcService: { targetSpecifier: { case: "envoyGrpc", value: grpc } } });
}

const openTelemetry = (init: MessageInitShape<typeof OpenTelemetryConfigSchema>): TracerInit => ({
  name: "envoy.tracers.opentelemetry",
  configType: {
    case: "typedConfig",
    value: anyPack(OpenTelemetryConfigSchema, create(OpenTelemetryConfigSchema, init)),
  },
});

function openTelemetryOverHttp(
  { path, timeout, headers = [] }: NonNullable<NonNullable<ExtensionProvider["opentelemetry"]>["http"]>,
  serviceName: string,
  { cluster, hostname }: ProviderCluster,
): TracerInit {
  return openTelemetry({
    serviceName,
    httpService: {
      httpUri: {
        uri: `http://${hostname}${path}`,
        httpUpstreamType: { case: "cluster", value: cluster },
        // Envoy's own for gRPC.
        timeout: timeout === undefined ? seconds(10) : duration(timeout),
      },
      requestHeadersToAdd: headers.map(({ name: key, value }) => ({ header: { key, value } })),
    },
  });
}

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/trace/v3/zipkin.proto */
function zipkin(
  { path = "/api/v2/spans", enable64bitTraceId }: NonNullable<ExtensionProvider["zipkin"]>,
  { cluster, hostname }: ProviderCluster,
): TracerInit {
  const config = create(ZipkinConfigSchema, {
    collectorCluster: cluster,
    collectorEndpoint: path,
    collectorEndpointVersion: ZipkinConfig_CollectorEndpointVersion.HTTP_JSON,
    collectorHostname: hostname,
    traceId128bit: !enable64bitTraceId,
    sharedSpanContext: false,
  });
  return {
    name: "envoy.tracers.zipkin",
    configType: { case: "typedConfig", value: anyPack(ZipkinConfigSchema, config) },
  };
}
