import { create } from "@bufbuild/protobuf";
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import type { ClusterLoadAssignment } from "../gen/proto/envoy/config/endpoint/v3/endpoint_pb.js";
import { bothEntries, flatEntries, mappedEntries, mapSteps, withEntries } from "../lib/lineage.ts";
import { memo } from "../lib/memo.ts";
import { type DestinationRule, ruleSteps } from "../model/destination-rules.ts";
import type { Endpoint } from "../model/endpoints.ts";
import { healthKey } from "../model/health-checks.ts";
import type { Labels } from "../model/labels.ts";
import type { Mesh } from "../model/mesh.ts";
import { isHttp2, isTcp, type Protocol } from "../model/protocol.ts";
import type { Service, ServicePort } from "../model/service.ts";
import type { PolicySettings } from "../model/specs.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import { isUsed, withAutoMutualTls } from "./auto-mutual-tls.ts";
import { clientCredentials } from "./client-credentials.ts";
import { circuitBreakers } from "./connection-pool.ts";
import { seconds } from "./duration.ts";
import { loadAssignment, socketAddress } from "./endpoints.ts";
import { forwardProxyCluster, isAddressable, isForwarded } from "./forward-proxy.ts";
import { comparedLabels, localityPolicy, type Whereabouts } from "./locality.ts";
import { configPath } from "./metadata.ts";
import { blackHoleCluster, inboundCluster, outboundCluster, passthroughCluster } from "./names.ts";
import type { TranslateOptions } from "./options.ts";
import { type ClusterDraft, clusterOf, dnsCluster, protocolOptions } from "./outbound-cluster.ts";
import { ruleFor, type Scope } from "./scope.ts";
import { trafficPolicy } from "./traffic-policy.ts";

export interface OutboundClusters {
  clusters: ReadonlyMap<string, Cluster>;
  /** For those of type EDS. */
  endpoints: ReadonlyMap<string, ClusterLoadAssignment>;
}

/** By the service's hostname. */
type Drafts = ReadonlyMap<string, readonly ClusterDraft[]>;

/** A cluster for each port of each service that the scope sees, and for each subset of it. */
export function outboundClusters(mesh: Mesh, scope: Scope, options: TranslateOptions): OutboundClusters {
  const { clusterId, systemCaPath } = options;
  const drafts = draftsIn(mesh, scope, systemCaPath);
  // Whom the certificates must be for is known from the endpoints.
  const isAuto = scope.certified && isUsed(mesh);
  const isChecked = isAuto || callsByMutualTls(drafts);
  const deps = [isChecked && mesh.endpoints, isAuto && mesh.peerAuthentications];
  const secured: Drafts = isAuto
    ? mappedEntries(drafts, "secured", (own) => own.map((it) => withAutoMutualTls(mesh, it)), { deps })
    : drafts;
  const picked =
    (...ways: ClusterDraft["discovery"][]) =>
    (own: readonly ClusterDraft[]) =>
      own.filter(({ discovery }) => ways.includes(discovery));
  const fixedOf = picked("eds", "forward", "original", "none");
  const fixed = flatEntries(secured, "clusters", deps, fixedOf, (it) => clusterOf(mesh, it));
  const found = [mesh.endpoints, mesh.health, ...deps];
  const assigned = (it: ClusterDraft) => assignment(mesh, it, clusterId);
  const endpoints = flatEntries(secured, `endpoints ${clusterId}`, found, picked("eds"), assigned);
  const named = flatEntries(secured, `dns ${clusterId}`, found, picked("dns"), (it) =>
    dnsCluster(mesh, it, assigned(it)),
  );
  return { clusters: named.size > 0 ? bothEntries(fixed, named) : fixed, endpoints };
}

const callsByMutualTls = (drafts: Drafts): boolean =>
  mapSteps.memo(
    drafts,
    "mutual",
    [],
    () => [...drafts.values()].some(isMutual),
    (before, { change }) => (before ? undefined : [...change].some((host) => isMutual(drafts.get(host) ?? []))),
  );

const isMutual = (drafts: readonly ClusterDraft[]): boolean =>
  drafts.some(({ policy }) => policy.tls?.mode === "ISTIO_MUTUAL");

function draftsIn(mesh: Mesh, scope: Scope, systemCaPath: string): Drafts {
  const client = whereabouts(mesh, scope);
  const context: DraftContext = { mesh, scope, systemCaPath, client };
  const about = [
    scope.selection,
    scope.namespace,
    scope.certified,
    scope.intercepted,
    scope.isGateway,
    scope.way.key,
    systemCaPath,
  ];
  return ruleSteps.memo<Drafts>(
    mesh.destinationRules,
    `outbound ${about.join(" ")} ${JSON.stringify(client)} ${scope.sidecar?.key ?? ""}`,
    [scope.services, mesh.options.rootNamespace, trustDomainsOf(mesh), mesh.objects.get("Secret")],
    () => new Map(Array.from(scope.services, ([host, service]) => [host, draftsOf(mesh, service, context)])),
    (before, { change }) =>
      withEntries(
        before,
        change.hosts.flatMap((host): [string, ClusterDraft[]][] => {
          const service = scope.services.get(host);
          return service ? [[host, draftsOf(mesh, service, context)]] : [];
        }),
      ),
  );
}

interface DraftContext {
  mesh: Mesh;
  scope: Scope;
  systemCaPath: string;
  client: Whereabouts;
}

/** Of a client's place only what may make a difference, so that clients share what makes none. */
function whereabouts(mesh: Mesh, scope: Scope): Whereabouts {
  const hasLocalities = memo(mesh.endpoints, "has-localities", [], () =>
    [...mesh.endpoints.values()].some(({ byPort }) => [...byPort.values()].flat().some(({ locality }) => locality)),
  );
  const names = comparedLabels(mesh.destinationRules).filter((name) => scope.labels[name] !== undefined);
  const labels = Object.fromEntries(names.map((name) => [name, scope.labels[name] ?? ""]));
  return { locality: hasLocalities ? scope.locality : "", labels };
}

function draftsOf(mesh: Mesh, service: Service, context: DraftContext): ClusterDraft[] {
  const { scope } = context;
  const rule = ruleFor(mesh, service.hostname, scope);
  // Endpoints that only DNS knows have no labels.
  const named = isForwarded(service) ? [] : (rule?.subsets ?? []);
  const subsets = [{ name: "", labels: {} as Labels }, ...named];
  return service.ports
    .filter((port) => port.protocol !== "UDP" && isAddressable(service, port))
    .flatMap((port) => subsets.map((subset) => draft(service, port, subset, rule, context)));
}

const draft = (
  service: Service,
  port: ServicePort,
  subset: { name: string; labels?: Labels },
  rule: DestinationRule | undefined,
  { mesh, scope, systemCaPath, client }: DraftContext,
): ClusterDraft => {
  const policy = trafficPolicy(rule, subset.name, port.port);
  const credentials = clientCredentials(mesh, scope, rule, policy.tls);
  const barred = credentials === "missing" || (policy.tls?.mode === "ISTIO_MUTUAL" && !scope.certified);
  return {
    service,
    port,
    name: outboundCluster(port.port, subset.name, service.hostname),
    subset: subset.name,
    labels: subset.labels ?? {},
    locality: localityPolicy(service, policy),
    client,
    policy,
    certified: scope.certified,
    config: rule && configPath("destination-rule", rule.namespace, rule.name),
    discovery: barred ? "none" : discoveryOf(service, port, policy, scope.intercepted),
    systemCaPath,
    ...(credentials && credentials !== "missing" && { credentials }),
    way: scope.way,
  };
};

function discoveryOf(
  service: Service,
  port: ServicePort,
  policy: PolicySettings,
  intercepted: boolean,
): ClusterDraft["discovery"] {
  if (isForwarded(service)) return "forward";
  // Without interception the host of a request is all that says where it was going.
  if (policy.loadBalancer?.simple === "PASSTHROUGH") {
    return intercepted || isTcp(port.protocol) ? "original" : "forward";
  }
  return service.resolution === "STATIC" ? "eds" : "dns";
}

function assignment(mesh: Mesh, it: ClusterDraft, clusterId: string): ClusterLoadAssignment {
  const endpoints = mesh.endpoints.get(it.service.key)?.byPort.get(it.port.port) ?? [];
  const { name: clusterName, labels: subset, locality, client, mutualTls = [] } = it;
  const isUnhealthy = (endpoint: Endpoint) => mesh.health.get(healthKey(it.service, endpoint)) === false;
  const assigned = { clusterName, subset, locality, client, mutualTls, isUnhealthy };
  return loadAssignment(it.service, assigned, endpoints, clusterId);
}

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
    circuitBreakers: circuitBreakers({}),
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

/** Calls whatever host a request names: Istio's name for what no service stands for. */
export const passthrough: Cluster = create(ClusterSchema, {
  name: passthroughCluster,
  lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  clusterDiscoveryType: { case: "clusterType", value: forwardProxyCluster },
  connectTimeout: seconds(10),
  circuitBreakers: circuitBreakers({}),
});

/** Takes requests and answers none: 503. */
export const blackHole: Cluster = create(ClusterSchema, {
  name: blackHoleCluster,
  clusterDiscoveryType: { case: "type", value: Cluster_DiscoveryType.STATIC },
  connectTimeout: seconds(10),
});
