import type { Any, Duration } from "@bufbuild/protobuf/wkt";
import type {
  DirectResponseAction,
  RedirectAction,
  Route,
  RouteAction,
  RouteAction_RequestMirrorPolicy,
  VirtualHost,
  WeightedCluster_ClusterWeight,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RedirectAction_RedirectResponseCode as RedirectCode } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { at, each, together } from "../config/problems.ts";
import { durationMs } from "../duration.ts";
import { toWire } from "../http/headers.ts";
import { compileCriteria, type MatchCriteria } from "../match/criteria.ts";
import type { Metadata, TypedMetadata } from "../record.ts";
import { type Share, shareOf } from "../runtime.ts";
import { compileSubstitution } from "../text/regex.ts";
import { compileHashPolicy, type RouteHasher } from "./hash-policy.ts";
import { compileHeaderOps, type HeaderOp } from "./header-ops.ts";
import { compileRateLimits, type RateLimitRule } from "./rate-limits.ts";
import { type CompiledRetryPolicy, compileRetryPolicy } from "./retry-policy.ts";
import { type CompiledMatch, compileMatch, prefixLength } from "./route-match.ts";

/** What filters made of their `typed_per_filter_config`, by filter name. */
export type PerFilterConfig = ReadonlyMap<string, unknown>;

export interface CompiledRoute {
  readonly name: string;
  readonly match: CompiledMatch;
  readonly action: RouteTarget;
  readonly metadata: Metadata | undefined;
  readonly typedMetadata: TypedMetadata | undefined;
  readonly requestOps: readonly HeaderOp[];
  readonly responseOps: readonly HeaderOp[];
  readonly perFilter: PerFilterConfig;
  /** Overrides the name of the span. */
  readonly operation: string;
  /** Of stats of its own; "": none. */
  readonly statPrefix: string;
}

export type RouteTarget = ForwardTarget | RedirectTarget | DirectTarget;

export interface ForwardTarget {
  readonly kind: "forward";
  /** One entry unless weighted. With `clusterHeader` the name comes from the request. */
  readonly clusters: readonly WeightedTarget[];
  readonly totalWeight: number;
  readonly clusterHeader: string;
  readonly notFoundStatus: number;
  /** 0 is none. Envoy's default is 15 s. */
  readonly timeoutMs: number;
  /** Undefined: the connection manager's. */
  readonly idleTimeoutMs: number | undefined;
  readonly maxStreamDurationMs: number | undefined;
  /** Undefined: a gRPC client's `grpc-timeout` does not change the route timeout. */
  readonly grpcTimeout: GrpcTimeoutLimit | undefined;
  /** Undefined: nor does it change how long the stream may take. */
  readonly grpcDeadline: GrpcTimeoutLimit | undefined;
  readonly retry: CompiledRetryPolicy | undefined;
  /** A try that takes too long goes on beside the next one. */
  readonly hedges: boolean;
  /** What requests are balanced by, where the cluster's balancer goes by it. */
  readonly hasher: RouteHasher | undefined;
  readonly mirrors: readonly Mirror[];
  readonly rateLimits: readonly RateLimitRule[];
  /** Whether the virtual host's hold beside the route's own. */
  readonly includeHostRateLimits: boolean;
  /** New path for the path of a request (both with query), or undefined when it stays. */
  readonly rewritePath: ((path: string) => string) | undefined;
  readonly hostRewrite: string;
  readonly autoHostRewrite: boolean;
  readonly hostRewriteHeader: string;
  readonly appendForwardedHost: boolean;
  /** Upgrade types enabled (true) or disabled for this route. */
  readonly upgrades: ReadonlyMap<string, boolean>;
  /** The tunnel of a CONNECT ends here: its bytes go on as they are, over TCP. */
  readonly endsConnect: boolean;
}

/** What a route makes of `grpc-timeout`. */
export interface GrpcTimeoutLimit {
  /** 0: none. */
  readonly maxMs: number;
  /** Taken off what the client asks for, so that the answer to a timeout is in time. */
  readonly offsetMs: number;
}

export interface WeightedTarget {
  readonly cluster: string;
  readonly weight: number;
  /** Of the runtime, where it may have another weight; "": none. */
  readonly weightKey: string;
  readonly hostRewrite: string;
  /** What its endpoints' metadata has to say, the route's word for it included. */
  readonly criteria: MatchCriteria | undefined;
  readonly requestOps: readonly HeaderOp[];
  readonly responseOps: readonly HeaderOp[];
  readonly perFilter: PerFilterConfig;
}

export interface Mirror {
  readonly cluster: string;
  readonly share: Share;
  readonly keepHost: boolean;
}

export interface RedirectTarget {
  readonly kind: "redirect";
  readonly status: number;
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly rewritePath: ((path: string) => string) | undefined;
  readonly stripQuery: boolean;
}

export interface DirectTarget {
  readonly kind: "direct";
  readonly status: number;
  /** Wire bytes as a latin1 string. */
  readonly body: string;
}

/** Compiles `typed_per_filter_config`; throws on what a filter does not know. */
export type PerFilterCompiler = (config: { [name: string]: Any }) => PerFilterConfig;

export function compileRoute(route: Route, host: VirtualHost, perFilter: PerFilterCompiler): CompiledRoute {
  return together<CompiledRoute>({
    name: () => route.name,
    match: () => compileMatch(route.match),
    action: () => compileAction(route, host, perFilter),
    metadata: () => route.metadata?.filterMetadata as Metadata | undefined,
    typedMetadata: () => route.metadata?.typedFilterMetadata,
    requestOps: () => compileHeaderOps("request", route.requestHeadersToAdd, route.requestHeadersToRemove),
    responseOps: () => compileHeaderOps("response", route.responseHeadersToAdd, route.responseHeadersToRemove),
    perFilter: () => perFilter(route.typedPerFilterConfig),
    operation: () => route.decorator?.operation ?? "",
    statPrefix: () => (route.statPrefix === "" ? "" : `vhost.${host.name}.route.${route.statPrefix}.`),
  });
}

function compileAction({ action, match }: Route, host: VirtualHost, perFilter: PerFilterCompiler): RouteTarget {
  const prefix = prefixLength(match);
  switch (action.case) {
    case "route":
      return at("route", () => compileForward(action.value, host, prefix, perFilter));
    case "redirect":
      return at("redirect", () => compileRedirect(action.value, prefix));
    case "directResponse":
      return at("direct_response", () => compileDirect(action.value));
    default:
      throw new Error("action: one of route, redirect, direct_response is required");
  }
}

function compileForward(
  action: RouteAction,
  host: VirtualHost,
  prefix: number,
  perFilter: PerFilterCompiler,
): ForwardTarget {
  const rewrite = action.hostRewriteSpecifier;
  const mirrors = action.requestMirrorPolicies.length > 0 ? action.requestMirrorPolicies : host.requestMirrorPolicies;
  const { clusters, retry, rewritePath, hasher, rateLimits } = together<
    Pick<ForwardTarget, "clusters" | "retry" | "rewritePath" | "hasher" | "rateLimits">
  >({
    rateLimits: () => compileRateLimits(action.rateLimits),
    clusters: () => compileClusters(action, perFilter),
    retry: () => at("retry_policy", () => compileRetryPolicy(action.retryPolicy ?? host.retryPolicy)),
    rewritePath: () => compileRewrite(action, prefix),
    hasher: () => compileHashPolicy(action.hashPolicy),
  });
  const hedge = action.hedgePolicy ?? host.hedgePolicy;
  return {
    kind: "forward",
    hedges: hedge?.hedgeOnPerTryTimeout ?? false,
    clusters,
    totalWeight: clusters.reduce((sum, target) => sum + target.weight, 0),
    clusterHeader: action.clusterSpecifier.case === "clusterHeader" ? action.clusterSpecifier.value.toLowerCase() : "",
    notFoundStatus: [503, 404, 500][action.clusterNotFoundResponseCode] ?? 503,
    // As in Envoy, where the route says how long a stream may take its `timeout` counts for nothing.
    timeoutMs: action.maxStreamDuration === undefined ? (durationMs(action.timeout) ?? 15_000) : 0,
    idleTimeoutMs: durationMs(action.idleTimeout),
    maxStreamDurationMs: durationMs(action.maxStreamDuration?.maxStreamDuration),
    grpcTimeout:
      action.maxStreamDuration === undefined ? grpcLimit(action.maxGrpcTimeout, action.grpcTimeoutOffset) : undefined,
    grpcDeadline: grpcLimit(
      action.maxStreamDuration?.grpcTimeoutHeaderMax,
      action.maxStreamDuration?.grpcTimeoutHeaderOffset,
    ),
    retry,
    hasher,
    mirrors: mirrors.map(compileMirror),
    rateLimits,
    includeHostRateLimits: action.includeVhRateLimits ?? false,
    rewritePath,
    hostRewrite: rewrite.case === "hostRewriteLiteral" ? toWire(rewrite.value) : "",
    autoHostRewrite: rewrite.case === "autoHostRewrite" && rewrite.value.value,
    hostRewriteHeader: rewrite.case === "hostRewriteHeader" ? rewrite.value.toLowerCase() : "",
    appendForwardedHost: action.appendXForwardedHost,
    endsConnect: action.upgradeConfigs.some(({ connectConfig }) => connectConfig !== undefined),
    upgrades: new Map(
      action.upgradeConfigs.map((config) => [config.upgradeType.toLowerCase(), config.enabled ?? true]),
    ),
  };
}

const grpcLimit = (max: Duration | undefined, offset: Duration | undefined): GrpcTimeoutLimit | undefined =>
  max === undefined ? undefined : { maxMs: durationMs(max) ?? 0, offsetMs: durationMs(offset) ?? 0 };

function compileClusters(action: RouteAction, perFilter: PerFilterCompiler): WeightedTarget[] {
  const specifier = action.clusterSpecifier;
  const criteria = compileCriteria(action.metadataMatch);
  switch (specifier.case) {
    case "cluster":
      return [{ ...plainTarget, cluster: specifier.value, criteria }];
    case "clusterHeader":
      return [{ ...plainTarget, criteria }];
    case "weightedClusters": {
      const { runtimeKeyPrefix: prefix } = specifier.value;
      const clusters = each("weighted_clusters.clusters", specifier.value.clusters, (cluster) => ({
        ...compileWeighted(cluster, criteria, perFilter),
        weightKey: prefix === "" ? "" : `${prefix}.${cluster.name}`,
      }));
      if (clusters.every((cluster) => cluster.weight === 0)) throw new Error("weighted_clusters: sum of weights is 0");
      return clusters;
    }
    default:
      throw new Error("cluster_specifier: required");
  }
}

const plainTarget: WeightedTarget = {
  cluster: "",
  weight: 1,
  weightKey: "",
  hostRewrite: "",
  criteria: undefined,
  requestOps: [],
  responseOps: [],
  perFilter: new Map(),
};

const compileWeighted = (
  config: WeightedCluster_ClusterWeight,
  criteria: MatchCriteria | undefined,
  perFilter: PerFilterCompiler,
) =>
  together<Omit<WeightedTarget, "weightKey">>({
    cluster: () => config.name,
    weight: () => config.weight ?? 0,
    criteria: () => compileCriteria(config.metadataMatch, criteria),
    hostRewrite: () =>
      config.hostRewriteSpecifier.case === "hostRewriteLiteral" ? toWire(config.hostRewriteSpecifier.value) : "",
    requestOps: () => compileHeaderOps("request", config.requestHeadersToAdd, config.requestHeadersToRemove),
    responseOps: () => compileHeaderOps("response", config.responseHeadersToAdd, config.responseHeadersToRemove),
    perFilter: () => perFilter(config.typedPerFilterConfig),
  });

const compileMirror = (policy: RouteAction_RequestMirrorPolicy): Mirror => ({
  cluster: policy.cluster,
  share: shareOf(policy.runtimeFraction, 1),
  keepHost: policy.disableShadowHostSuffixAppend,
});

function compileRewrite(action: RouteAction, prefix: number): ((path: string) => string) | undefined {
  const { regexRewrite } = action;
  if (regexRewrite !== undefined) return onPathOnly(at("regex_rewrite", () => compileSubstitution(regexRewrite)));
  return action.prefixRewrite === "" ? undefined : prefixRewrite(action.prefixRewrite, prefix);
}

/** An exact or regex match is replaced as a whole, a prefix match in its prefix. The query stays. */
function prefixRewrite(replacement: string, prefix: number): (path: string) => string {
  const wire = toWire(replacement);
  return onPathOnly((path) => (prefix === -1 ? wire : wire + path.slice(prefix)));
}

const onPathOnly =
  (rewrite: (path: string) => string) =>
  (path: string): string => {
    const question = path.indexOf("?");
    return question === -1 ? rewrite(path) : rewrite(path.slice(0, question)) + path.slice(question);
  };

function compileRedirect(action: RedirectAction, prefix: number): RedirectTarget {
  const { pathRewriteSpecifier: path, schemeRewriteSpecifier: scheme } = action;
  return {
    kind: "redirect",
    status: redirectStatus[action.responseCode] ?? 301,
    scheme:
      scheme.case === "schemeRedirect" ? scheme.value : scheme.case === "httpsRedirect" && scheme.value ? "https" : "",
    host: toWire(action.hostRedirect),
    port: action.portRedirect,
    rewritePath: redirectPath(path, prefix),
    stripQuery: action.stripQuery,
  };
}

function redirectPath(
  path: RedirectAction["pathRewriteSpecifier"],
  prefix: number,
): ((path: string) => string) | undefined {
  switch (path.case) {
    case "pathRedirect": {
      const fixed = toWire(path.value);
      // Envoy: a query in the replacement wins over the request's.
      return fixed.includes("?") ? () => fixed : onPathOnly(() => fixed);
    }
    case "prefixRewrite":
      return prefixRewrite(path.value, prefix);
    case "regexRewrite":
      return onPathOnly(at("regex_rewrite", () => compileSubstitution(path.value)));
    default:
      return undefined;
  }
}

const redirectStatus: Record<RedirectCode, number> = {
  [RedirectCode.MOVED_PERMANENTLY]: 301,
  [RedirectCode.FOUND]: 302,
  [RedirectCode.SEE_OTHER]: 303,
  [RedirectCode.TEMPORARY_REDIRECT]: 307,
  [RedirectCode.PERMANENT_REDIRECT]: 308,
};

function compileDirect(action: DirectResponseAction): DirectTarget {
  const specifier = action.body?.specifier;
  if (action.status < 200 || action.status > 599) throw new Error("status: must be between 200 and 599");
  switch (specifier?.case) {
    case undefined:
      return { kind: "direct", status: action.status, body: "" };
    case "inlineString":
      return { kind: "direct", status: action.status, body: toWire(specifier.value) };
    case "inlineBytes":
      return { kind: "direct", status: action.status, body: Buffer.from(specifier.value).toString("latin1") };
    default:
      throw new Error(`body.${specifier?.case}: not supported`);
  }
}
