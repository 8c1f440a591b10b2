import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { type Any, anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_EdsClusterConfigSchema,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { TransportSocketSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { HttpProtocolOptionsSchema } from "../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { memo } from "../lib/memo.ts";
import type { Endpoint } from "../model/endpoints.ts";
import type { Labels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import type { Protocol } from "../model/protocol.ts";
import type { Service, ServicePort } from "../model/service.ts";
import type { PolicySettings } from "../model/specs.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import type { ConfigWay } from "./config-source.ts";
import { circuitBreakers, httpProtocolOptions, upstreamConnection } from "./connection-pool.ts";
import { duration, seconds } from "./duration.ts";
import { forwardProxyCluster } from "./forward-proxy.ts";
import { loadBalancer } from "./load-balancer.ts";
import { type LocalityPolicy, type Whereabouts, weighsLocalities } from "./locality.ts";
import { istioMetadata } from "./metadata.ts";
import { commonLbConfig, outlierDetection } from "./outlier.ts";
import { subjectAltNamesOf } from "./peer-identities.ts";
import { rawBuffer, withProxyProtocol } from "./proxy-protocol.ts";
import { type ClientCredentials, type TlsTarget, upstreamTls } from "./upstream-tls.ts";

type ClusterInit = MessageInitShape<typeof ClusterSchema>;

/** A cluster before its endpoints. */
export interface ClusterDraft {
  service: Service;
  port: ServicePort;
  name: string;
  subset: string;
  labels: Labels;
  locality: LocalityPolicy | undefined;
  client: Whereabouts;
  policy: PolicySettings;
  /** The client has a certificate. */
  certified: boolean;
  /** Only these endpoints take the mutual TLS of the policy, the others plain text; undefined: all are called alike. */
  mutualTls?: readonly Endpoint[];
  /** Of the DestinationRule. */
  config: string | undefined;
  /** `forward`: by the host of each call. `original`: where each connection was going. `none`: the proxy can't call it. */
  discovery: "eds" | "dns" | "forward" | "original" | "none";
  systemCaPath: string;
  /** What the policy's `credentialName` stands for. */
  credentials?: ClientCredentials | undefined;
  /** Where endpoints and certificates come from. */
  way: ConfigWay;
}

/** Of those whose endpoints don't stand in it. */
export function clusterOf(mesh: Mesh, it: ClusterDraft): Cluster {
  switch (it.discovery) {
    case "eds":
      return edsCluster(mesh, it);
    case "forward":
      return forwardCluster(mesh, it);
    case "original":
      return originalCluster(mesh, it);
    default:
      return unreachable(it);
  }
}

/** The same object while the policy's content is, whatever else of its DestinationRule changed. */
const edsCluster = (mesh: Mesh, it: ClusterDraft): Cluster => {
  const tls = tlsTarget(mesh, it);
  return memo(
    it.service,
    clusterKey(it),
    [JSON.stringify([it.policy, tls, it.locality, it.mutualTls !== undefined])],
    () =>
      create(ClusterSchema, {
        ...common(it, tls),
        clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
        edsClusterConfig: create(Cluster_EdsClusterConfigSchema, { edsConfig: it.way.source, serviceName: it.name }),
      }),
  );
};

export const dnsCluster = (mesh: Mesh, it: ClusterDraft, message: ClusterLoadAssignment): Cluster => {
  const tls = tlsTarget(mesh, it);
  return memo(
    it.service,
    clusterKey(it),
    [JSON.stringify([it.policy, tls, it.locality, it.mutualTls !== undefined]), message],
    () => {
      const { LOGICAL_DNS, STRICT_DNS } = Cluster_DiscoveryType;
      return create(ClusterSchema, {
        ...common(it, tls),
        clusterDiscoveryType: {
          case: "type",
          value: it.service.resolution === "DNS_ROUND_ROBIN" ? LOGICAL_DNS : STRICT_DNS,
        },
        dnsLookupFamily: Cluster_DnsLookupFamily.V4_ONLY,
        dnsRefreshRate: seconds(60),
        respectDnsTtl: true,
        loadAssignment: message,
      });
    },
  );
};

/** Balancing is the lookup's own affair, and what TLS asks for and checks is the name that was looked up. */
const forwardCluster = (mesh: Mesh, it: ClusterDraft): Cluster => {
  const tls = tlsTarget(mesh, it);
  return memo(
    it.service,
    `forward ${clusterKey(it)}`,
    [JSON.stringify([it.policy, tls, it.locality, it.mutualTls !== undefined])],
    () =>
      create(ClusterSchema, {
        ...common(it, tls),
        lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
        lbConfig: { case: undefined },
        clusterDiscoveryType: { case: "clusterType", value: forwardProxyCluster },
        typedExtensionProtocolOptions: protocolOptions(it.port.protocol, it.policy, tls !== undefined),
      }),
  );
};

/** Knows what the PROXY protocol says, and what an interception would. */
const originalCluster = (mesh: Mesh, it: ClusterDraft): Cluster => {
  const tls = tlsTarget(mesh, it);
  return memo(it.service, `original ${clusterKey(it)}`, [JSON.stringify([it.policy, tls, it.locality])], () =>
    create(ClusterSchema, {
      ...common(it, tls),
      lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
      lbConfig: { case: undefined },
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.ORIGINAL_DST },
    }),
  );
};

/** Better no call than one in plain text where a rule asks for mutual TLS: 503. */
const unreachable = (it: ClusterDraft): Cluster =>
  memo(it.service, `unreachable ${clusterKey(it)}`, [JSON.stringify(it.policy)], () =>
    create(ClusterSchema, {
      ...common(it, undefined),
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    }),
  );

/** Of clients that call it differently each kind has its own. */
const clusterKey = ({ name, config, way, policy, mutualTls }: ClusterDraft): string =>
  `cluster ${name} ${config} ${way.key} ${policy.tls?.mode} ${mutualTls !== undefined}`;

const tlsTarget = (
  mesh: Mesh,
  { service, port, subset, policy, systemCaPath, credentials }: ClusterDraft,
): TlsTarget | undefined =>
  policy.tls && {
    hostname: service.hostname,
    port: port.port,
    subset,
    subjectAltNames: subjectAltNamesOf(mesh, service, policy.tls.mode === "ISTIO_MUTUAL"),
    systemCaPath,
    trustDomains: trustDomainsOf(mesh),
    ...(credentials && { credentials }),
  };

function common(
  { service, port, name, subset, policy, config, way, locality, mutualTls }: ClusterDraft,
  target: TlsTarget | undefined,
): ClusterInit {
  const tls = target && upstreamTls(policy.tls, target, way.secret);
  const socket = policy.proxyProtocol ? withProxyProtocol(policy.proxyProtocol, tls) : tls;
  const outlier = outlierDetection(policy.outlierDetection);
  const connection = upstreamConnection(policy.connectionPool);
  return {
    name,
    connectTimeout: connectTimeout(policy),
    ...loadBalancer(policy.loadBalancer),
    commonLbConfig: commonLbConfig(policy.outlierDetection, weighsLocalities(locality)),
    circuitBreakers: circuitBreakers(policy),
    ...(socket && (mutualTls ? { transportSocketMatches: eachItsOwn(socket) } : { transportSocket: socket })),
    ...(outlier && { outlierDetection: outlier }),
    ...(connection && { upstreamConnectionOptions: connection }),
    typedExtensionProtocolOptions: protocolOptions(port.protocol, policy),
    metadata: istioMetadata({
      ...(config && { config }),
      ...(subset && { subset }),
      default_original_port: port.port,
      services: [{ host: service.hostname, name: service.name, namespace: service.namespace }],
    }),
  };
}

/** By what `loadAssignment` says of each endpoint. */
const eachItsOwn = (mutual: MessageInitShape<typeof TransportSocketSchema>): ClusterInit["transportSocketMatches"] => [
  { name: "tlsMode-istio", match: { tlsMode: "istio" }, transportSocket: mutual },
  { name: "tlsMode-disabled", match: {}, transportSocket: rawBuffer },
];

/** `hostIsSni`: TLS asks for and checks the host of each call. */
export function protocolOptions(protocol: Protocol, policy: PolicySettings, hostIsSni = false): Record<string, Any> {
  const options = httpProtocolOptions(protocol, policy, hostIsSni);
  if (!options) return {};
  return {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": anyPack(
      HttpProtocolOptionsSchema,
      create(HttpProtocolOptionsSchema, options),
    ),
  };
}

const connectTimeout = (policy: PolicySettings) => {
  const own = policy.connectionPool?.tcp?.connectTimeout;
  return own ? duration(own) : seconds(10);
};
