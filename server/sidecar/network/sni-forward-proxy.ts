import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { FilterConfigSchema } from "../../gen/proto/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js";
import type { NetworkFilterFactory } from "./network-filter.ts";

/**
 * Says which port a TLS connection goes to on the host that its hello names; the cluster after it looks the name up.
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/sni_dynamic_forward_proxy_filter
 */
export const sniForwardProxy: NetworkFilterFactory = {
  schema: FilterConfigSchema,
  fields: { [FilterConfigSchema.typeName]: ["dns_cache_config", "port_value"] },
  compile(config) {
    const filter = anyUnpack(config, FilterConfigSchema);
    if (filter?.dnsCacheConfig === undefined) throw new Error("dns_cache_config: required");
    const { portSpecifier } = filter;
    const port = portSpecifier.case === "portValue" ? portSpecifier.value : 443;
    if (port < 1 || port > 65_535) throw new Error(`port_value: must be 1 to 65535, not ${port}`);
    return {
      accept(connection) {
        connection.forwardPort = port;
        return undefined;
      },
    };
  },
};
