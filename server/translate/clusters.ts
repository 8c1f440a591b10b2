import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_EdsClusterConfigSchema,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { HttpProtocolOptionsSchema } from "../gen/proto/envoy/extensions/upstreams/http/v3/http_protocol_options_pb.js";
import { memo } from "../lib/memo.ts";
import type { DestinationRule } from "../model/destination-rules.ts";
import type { Labels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import { isHttp2, type Protocol } from "../model/protocol.ts";
import type { Service, ServicePort } from "../model/service.ts";
import type { PolicySettings } from "../model/specs.ts";
import { isVisible } from "../model/visibility.ts";
import { adsConfig } from "./config-source.ts";
import { circuitBreakers, httpProtocolOptions, upstreamConnection } from "./connection-pool.ts";
import { duration, seconds } from "./duration.ts";
import { loadAssignment, socketAddress } from "./endpoints.ts";
import { loadBalancer } from "./load-balancer.ts";
import { configPath, istioMetadata } from "./metadata.ts";
import { blackHoleCluster, inboundCluster, outboundCluster } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import { commonLbConfig, outlierDetection } from "./outlier.ts";
import { subjectAltNamesOf } from "./peer-identities.ts";
import { ruleFor, type Scope } from "./scope.ts";
import { trafficPolicy } from "./traffic-policy.ts";
import { type TlsTarget, upstreamTls } from "./upstream-tls.ts";

type ClusterInit = MessageInitShape<typeof ClusterSchema>;

export interface OutboundClusters {
  clusters: ReadonlyMap<string, Cluster>;
  /** For those of type EDS. */
  endpoints: ReadonlyMap<string, ClusterLoadAssignment>;
}

/** Without original destinations nobody can tell where a wildcard host is. */
export const isReachable = (service: Service): boolean =>
  service.resolution === "STATIC" || !service.hostname.startsWith("*");

/** A cluster for each port of each service that the scope sees, and for each subset of it. */
export function outboundClusters(mesh: Mesh, scope: Scope, options: TranslateOptions): OutboundClusters {
  const { clusterId, systemCaPath } = options;
  const { rootNamespace, trustDomain } = mesh.options;
  const drafts = memo(
    mesh.services,
    `outbound ${scope.namespace} ${scope.certified} ${systemCaPath}`,
    [mesh.destinationRules, rootNamespace, trustDomain],
    () => [...mesh.services.values()].flatMap((service) => draftsOf(mesh, service, scope, systemCaPath)),
  );
  // Whom the certificates must be for is known from the endpoints.
  const checked = drafts.some(({ policy }) => policy.tls?.mode === "ISTIO_MUTUAL");
  const clusters = memo(drafts, "clusters", checked ? [mesh.endpoints] : [], () => {
    const fixed = drafts.filter((it) => it.discovery !== "dns");
    return new Map(fixed.map((it) => [it.name, it.discovery === "eds" ? edsCluster(mesh, it) : unreachable(it)]));
  });
  return memo(drafts, `all ${clusterId}`, [mesh.endpoints], () => {
    const of = (discovery: Draft["discovery"]) =>
      drafts.filter((it) => it.discovery === discovery).map((it) => [it, assignment(mesh, it, clusterId)] as const);
    const dns = of("dns").map(([it, message]) => [it.name, dnsCluster(mesh, it, message)] as const);
    const eds = of("eds").map(([it, message]) => [it.name, message] as const);
    return { clusters: dns.length > 0 ? new Map([...clusters, ...dns]) : clusters, endpoints: new Map(eds) };
  });
}

/** A cluster before its endpoints. */
interface Draft {
  service: Service;
  port: ServicePort;
  name: string;
  subset: string;
  labels: Labels;
  policy: PolicySettings;
  /** Of the DestinationRule. */
  config: string | undefined;
  /** `none`: the proxy can't call it. */
  discovery: "eds" | "dns" | "none";
  systemCaPath: string;
}

function draftsOf(mesh: Mesh, service: Service, scope: Scope, systemCaPath: string): Draft[] {
  if (!isVisible(service.exportTo, service.namespace, scope.namespace) || !isReachable(service)) return [];
  const rule = ruleFor(mesh, service.hostname, scope);
  const subsets = [{ name: "", labels: {} as Labels }, ...(rule?.subsets ?? [])];
  return service.ports
    .filter((port) => port.protocol !== "UDP")
    .flatMap((port) => subsets.map((subset) => draft(service, port, subset, rule, scope, systemCaPath)));
}

const draft = (
  service: Service,
  port: ServicePort,
  subset: { name: string; labels?: Labels },
  rule: DestinationRule | undefined,
  scope: Scope,
  systemCaPath: string,
): Draft => {
  const policy = trafficPolicy(rule, subset.name, port.port);
  const barred = policy.tls?.mode === "ISTIO_MUTUAL" && !scope.certified;
  return {
    service,
    port,
    name: outboundCluster(port.port, subset.name, service.hostname),
    subset: subset.name,
    labels: subset.labels ?? {},
    policy,
    config: rule && configPath("destination-rule", rule.namespace, rule.name),
    discovery: barred ? "none" : service.resolution === "STATIC" ? "eds" : "dns",
    systemCaPath,
  };
};

function assignment(mesh: Mesh, it: Draft, clusterId: string): ClusterLoadAssignment {
  const endpoints = mesh.endpoints.get(it.service.hostname)?.byPort.get(it.port.port) ?? [];
  return loadAssignment(it.service, it.name, endpoints, it.labels, clusterId);
}

/** The same object while the policy's content is, whatever else of its DestinationRule changed. */
const edsCluster = (mesh: Mesh, it: Draft): Cluster => {
  const tls = tlsTarget(mesh, it);
  return memo(it.service, clusterKey(it), [JSON.stringify([it.policy, tls])], () =>
    create(ClusterSchema, {
      ...common(it, tls),
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: create(Cluster_EdsClusterConfigSchema, { edsConfig: adsConfig, serviceName: it.name }),
    }),
  );
};

const dnsCluster = (mesh: Mesh, it: Draft, message: ClusterLoadAssignment): Cluster => {
  const tls = tlsTarget(mesh, it);
  return memo(it.service, clusterKey(it), [JSON.stringify([it.policy, tls]), message], () => {
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
  });
};

/** Better no call than one in plain text where a rule asks for mutual TLS: 503. */
const unreachable = (it: Draft): Cluster =>
  memo(it.service, `unreachable ${clusterKey(it)}`, [JSON.stringify(it.policy)], () =>
    create(ClusterSchema, {
      ...common(it, undefined),
      clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    }),
  );

const clusterKey = ({ name, config }: Draft): string => `cluster ${name} ${config}`;

const tlsTarget = (mesh: Mesh, { service, port, subset, policy, systemCaPath }: Draft): TlsTarget | undefined =>
  policy.tls && {
    hostname: service.hostname,
    port: port.port,
    subset,
    subjectAltNames: subjectAltNamesOf(mesh, service, policy.tls.mode === "ISTIO_MUTUAL"),
    systemCaPath,
    trustDomain: mesh.options.trustDomain,
  };

function common({ service, port, name, subset, policy, config }: Draft, target: TlsTarget | undefined): ClusterInit {
  const tls = target && upstreamTls(policy.tls, target);
  const outlier = outlierDetection(policy.outlierDetection);
  const connection = upstreamConnection(policy.connectionPool);
  return {
    name,
    connectTimeout: connectTimeout(policy),
    lbPolicy: loadBalancer(policy.loadBalancer),
    commonLbConfig: commonLbConfig(policy.outlierDetection),
    circuitBreakers: circuitBreakers(policy.connectionPool),
    ...(tls && { transportSocket: tls }),
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

function protocolOptions(protocol: Protocol, policy: PolicySettings): ClusterInit["typedExtensionProtocolOptions"] {
  const options = httpProtocolOptions(protocol, policy.connectionPool);
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

/** To the application behind the sidecar. */
export const inboundClusterOf = (
  port: number,
  target: { address: string; port: number },
  protocol: Protocol,
): Cluster =>
  create(ClusterSchema, {
    name: inboundCluster(port),
    clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
    connectTimeout: seconds(10),
    circuitBreakers: circuitBreakers(undefined),
    commonLbConfig: {},
    typedExtensionProtocolOptions: isHttp2(protocol) || protocol === "auto" ? protocolOptions(protocol, {}) : {},
    loadAssignment: {
      clusterName: inboundCluster(port),
      endpoints: [
        {
          lbEndpoints: [
            {
              hostIdentifier: { case: "endpoint", value: { address: socketAddress(target.address, target.port) } },
            },
          ],
        },
      ],
    },
  });

/** Takes requests and answers none: 503. */
export const blackHole: Cluster = create(ClusterSchema, {
  name: blackHoleCluster,
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
  connectTimeout: seconds(10),
});
