import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  Cluster_CustomClusterTypeSchema,
  Cluster_DnsLookupFamily,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { ClusterConfigSchema } from "../gen/proto/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster_pb.js";
import type { DnsCacheConfigSchema } from "../gen/proto/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache_pb.js";
import { FilterConfigSchema } from "../gen/proto/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy_pb.js";
import { isWildcard } from "../model/hostname.ts";
import { isTcp } from "../model/protocol.ts";
import type { Service, ServicePort } from "../model/service.ts";
import { seconds } from "./duration.ts";

/**
 * A wildcard host without endpoints stands for names that only the client says. Istio sends such calls where they were going
 * (ORIGINAL_DST); without interception that is the proxy itself, so the name is looked up instead.
 */
export const isForwarded = (service: Service): boolean =>
  isWildcard(service.hostname) && service.resolution !== "STATIC";

/** Nothing in a plain TCP connection says which of a wildcard's hosts it is for. */
export const isAddressable = (service: Service, port: ServicePort): boolean =>
  !(isTcp(port.protocol) && isForwarded(service));

/** One for all: Envoy wants whoever shares a cache's name to agree about it. */
const dnsCache: MessageInitShape<typeof DnsCacheConfigSchema> = {
  name: "forward-proxy",
  dnsLookupFamily: Cluster_DnsLookupFamily.V4_ONLY,
  dnsRefreshRate: seconds(60),
};

/** Finds its endpoints by the request's Host, and its HTTP needs no filter for that. https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_proxy */
export const forwardProxyCluster = create(Cluster_CustomClusterTypeSchema, {
  name: "envoy.clusters.dynamic_forward_proxy",
  typedConfig: anyPack(
    ClusterConfigSchema,
    create(ClusterConfigSchema, {
      clusterImplementationSpecifier: { case: "dnsCacheConfig", value: dnsCache },
    }),
  ),
});

/** Has the server name of the ClientHello looked up, for the port given: a TLS connection says no port. */
export const sniForwardProxy = (port: number | undefined): MessageInitShape<typeof FilterSchema>[] =>
  port === undefined
    ? []
    : [
        {
          name: "envoy.filters.network.sni_dynamic_forward_proxy",
          configType: {
            case: "typedConfig",
            value: anyPack(
              FilterConfigSchema,
              create(FilterConfigSchema, {
                dnsCacheConfig: dnsCache,
                portSpecifier: { case: "portValue", value: port },
              }),
            ),
          },
        },
      ];
