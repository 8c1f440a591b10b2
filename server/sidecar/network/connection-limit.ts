import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { ConnectionLimitSchema } from "../../gen/proto/envoy/extensions/filters/network/connection_limit/v3/connection_limit_pb.js";
import { durationMs } from "../duration.ts";
import { type NetworkFilterFactory, statPrefix } from "./network-filter.ts";

/** So many connections at a time: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/connection_limit_filter */
export const networkConnectionLimit: NetworkFilterFactory = {
  schema: ConnectionLimitSchema,
  fields: {
    [ConnectionLimitSchema.typeName]: ["stat_prefix", "max_connections", "delay", "runtime_enabled"],
    "envoy.config.core.v3.RuntimeFeatureFlag": ["default_value", "runtime_key"],
  },
  compile(config, { stats, runtime }) {
    const limit = anyUnpack(config, ConnectionLimitSchema);
    if (limit === undefined || limit.statPrefix === "") throw new Error("stat_prefix: required");
    if (limit.maxConnections === undefined || limit.maxConnections < 1n) {
      throw new Error("max_connections: must be 1 at least");
    }
    const max = Number(limit.maxConnections);
    const enabled = runtime.flag(limit.runtimeEnabled, true);
    const prefix = statPrefix("connection_limit", limit.statPrefix);
    const active = stats.gauge(`${prefix}active_connections`);
    const limited = stats.counter(`${prefix}limited_connections`);
    const refusal = { details: "over_connection_limit", flags: 0, delayMs: durationMs(limit.delay) ?? 0 };
    let open = 0;
    return {
      accept(connection) {
        if (!enabled()) return undefined;
        // Those that wait for their refusal count as well.
        open++;
        active.add(1);
        connection.onClose(() => {
          open--;
          active.add(-1);
        });
        if (open <= max) return undefined;
        limited.inc();
        return refusal;
      },
    };
  },
};
