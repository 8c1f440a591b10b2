import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { OpenTelemetryConfigSchema } from "../gen/proto/envoy/config/trace/v3/opentelemetry_pb.js";
import type { HttpConnectionManager_TracingSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { MeshProxy } from "../model/proxy.ts";
import type { TranslateOptions } from "./options.ts";

/** A request that already carries a trace keeps its sampling decision; of the others a share is sampled. */
export const tracing = (
  proxy: MeshProxy,
  options: TranslateOptions,
): MessageInitShape<typeof HttpConnectionManager_TracingSchema> => ({
  clientSampling: { value: 100 },
  randomSampling: { value: options.tracingSamplingPercent },
  overallSampling: { value: 100 },
  provider: {
    name: "envoy.tracers.opentelemetry",
    configType: {
      case: "typedConfig",
      value: anyPack(
        OpenTelemetryConfigSchema,
        create(OpenTelemetryConfigSchema, {
          grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName: options.collectorCluster } } },
          serviceName: `${proxy.canonicalService}.${proxy.namespace}`,
        }),
      ),
    },
  },
});
