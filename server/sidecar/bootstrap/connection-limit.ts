import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Bootstrap } from "../../gen/proto/envoy/config/bootstrap/v3/bootstrap_pb.js";
import { DownstreamConnectionsConfigSchema } from "../../gen/proto/envoy/extensions/resource_monitors/downstream_connections/v3/downstream_connections_pb.js";

/** How many connections the proxy may have, as the bootstrap's overload manager has it; undefined: it says nothing of it. https://www.envoyproxy.io/docs/envoy/latest/configuration/operations/overload_manager/overload_manager */
export function maxConnections({ overloadManager }: Bootstrap): number | undefined {
  for (const { configType } of overloadManager?.resourceMonitors ?? []) {
    if (configType.case !== "typedConfig") continue;
    const config = anyUnpack(configType.value, DownstreamConnectionsConfigSchema);
    if (config) return Number(config.maxActiveDownstreamConnections);
  }
  return undefined;
}
