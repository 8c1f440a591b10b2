import type { Cluster } from "../gen/proto/envoy/config/cluster/v3/cluster_pb.js";
import { memo } from "../lib/memo.ts";
import type { Mesh } from "../model/mesh.ts";
import { attachedTo, hasServiceTargets } from "../model/policy-attachment.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { ExtensionProvider } from "../model/specs.ts";
import { trustDomainsOf } from "../model/trust-domains.ts";
import { type Authorization, authorizationFilters } from "./authorization.ts";
import { type Authorizer, authorizerFor } from "./external-authorization.ts";
import { type KeySetCluster, keySetCluster } from "./key-set-clusters.ts";
import type { TranslateOptions } from "./options.ts";
import { providerCluster } from "./provider-clusters.ts";
import { jwtFilter } from "./request-authentication.ts";
import type { Scope } from "./scope.ts";
import { servicesAt } from "./targets.ts";
import { inEveryTrustDomain } from "./trust-domains.ts";

/** What stands before a workload: whose token is good, then who may do what. */
export interface Guards extends Authorization {
  /** Through which they call, beside those of services. */
  readonly clusters: readonly Cluster[];
}

const nobody: Guards = { http: [], tcp: [], clusters: [] };

export interface GuardContext {
  mesh: Mesh;
  scope: Scope;
  proxy: MeshProxy;
  /** All that the proxy has for services. */
  clusters: ReadonlyMap<string, Cluster>;
  options: TranslateOptions;
}

/** `port`: of a sidecar's own, told apart only where policies are for services. The same object while the policies for it and what they refer to are. */
export function guardsAt(context: GuardContext, port: number | undefined): Guards {
  const { mesh, proxy, clusters, options } = context;
  const { rootNamespace } = mesh.options;
  const services = port === undefined || !tellsServicesApart(mesh) ? [] : servicesAt(mesh, proxy.ip, port);
  const workload = {
    namespace: proxy.namespace,
    labels: proxy.labels,
    isGateway: proxy.type === "router",
    services,
  };
  const authentications = attachedTo(mesh.requestAuthentications, rootNamespace, workload);
  const policies = attachedTo(mesh.authorizationPolicies, rootNamespace, workload);
  const rules = authentications.flatMap((it) => it.rules);
  if (rules.length === 0 && policies.length === 0) return nobody;
  const keySets = new Map(
    rules.flatMap(({ jwksUri }) =>
      jwksUri === undefined ? [] : [[jwksUri, keySetCluster(mesh, clusters, jwksUri, options)] as const],
    ),
  );
  const authorizers = authorizersFor(context, new Set(policies.map(({ provider }) => provider)));
  const calls = [...keySets.values()].flatMap(({ name, cluster }) => [name, cluster]);
  const trustDomains = trustDomainsOf(mesh);
  const deps = [...authentications, ...policies, trustDomains, ...calls, ...[...authorizers].flat()];
  return memo(proxy, `guards ${services.join(" ")}`, deps, () => {
    const meant = policies.map((policy) => inEveryTrustDomain(policy, trustDomains));
    const authorization = authorizationFilters(meant, (provider) => authorizers.get(provider));
    return {
      http: [...tokens(rules, keySets, proxy), ...authorization.http],
      tcp: authorization.tcp,
      clusters: [...keySets.values()].flatMap(({ cluster }) => cluster ?? []),
    };
  });
}

const tokens = (
  rules: Parameters<typeof jwtFilter>[0],
  keySets: ReadonlyMap<string, KeySetCluster>,
  { type }: MeshProxy,
) =>
  rules.length === 0
    ? []
    : [jwtFilter(rules, { clusterOf: (uri) => keySets.get(uri)?.name ?? "", reroutes: type === "router" })];

/** Those that are there and can be called; the same objects while they lead to the same places. */
function authorizersFor(context: GuardContext, names: ReadonlySet<string>): ReadonlyMap<string, Authorizer> {
  const { providers } = context.mesh.settings;
  return new Map(
    [...names].sort().flatMap((name) => {
      const provider = providers.get(name);
      const authorizer = provider && reachable(context, provider);
      return authorizer ? [[name, authorizer] as const] : [];
    }),
  );
}

function reachable({ mesh, scope, clusters }: GuardContext, provider: ExtensionProvider): Authorizer | undefined {
  const at = provider.envoyExtAuthzGrpc ?? provider.envoyExtAuthzHttp;
  const to = at && providerCluster(mesh, scope, clusters, at);
  if (to === undefined) return undefined;
  const { cluster, hostname } = to;
  return memo(provider, `authorizer ${cluster}`, [], () => authorizerFor(provider, hostname, cluster));
}

const tellsServicesApart = (mesh: Mesh): boolean => {
  const { authorizationPolicies, requestAuthentications } = mesh;
  return memo(authorizationPolicies, "tells services apart", [requestAuthentications], () =>
    hasServiceTargets(
      [...authorizationPolicies.values(), ...requestAuthentications.values()].flat().map((it) => it.attachment),
    ),
  );
};
