import type { Any } from "@bufbuild/protobuf/wkt";
import type { ExplainedEnd, ExplainedForward } from "../contract/index.ts";
import type {
  Route,
  RouteAction,
  RouteAction_HashPolicy,
  VirtualHost,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { durationMs } from "../sidecar/duration.ts";
import { getHeader } from "../sidecar/http/headers.ts";
import { type CompiledRoute, compileRoute } from "../sidecar/route/compile-route.ts";
import { redirectLocation } from "../sidecar/route/redirect-location.ts";
import { fraction } from "../sidecar/runtime.ts";
import type { ExplainRequest } from "./request.ts";

export interface WeightedName {
  name: string;
  share: number;
  perFilter: { [name: string]: Any };
}

/** The clusters that a route sends requests to, each with its share of them. */
export function clustersOf({ clusterSpecifier: specifier }: RouteAction, request: ExplainRequest): WeightedName[] {
  switch (specifier.case) {
    case "cluster":
      return [{ name: specifier.value, share: 1, perFilter: {} }];
    case "clusterHeader":
      return [{ name: getHeader(request.headers, specifier.value.toLowerCase()) ?? "", share: 1, perFilter: {} }];
    case "weightedClusters": {
      const total = specifier.value.clusters.reduce((sum, { weight }) => sum + (weight ?? 0), 0);
      return specifier.value.clusters
        .filter(({ weight = 0 }) => weight > 0)
        .map(({ name, weight = 0, typedPerFilterConfig }) => ({
          name,
          share: weight / total,
          perFilter: typedPerFilterConfig,
        }));
    }
    default:
      return [];
  }
}

/** What of a request the route changes, and how it is sent. */
export function forwardOf(route: Route, host: VirtualHost, request: ExplainRequest): ExplainedForward | null {
  if (route.action.case !== "route") return null;
  const action = route.action.value;
  const retry = action.retryPolicy ?? host.retryPolicy;
  const mirrors = action.requestMirrorPolicies.length > 0 ? action.requestMirrorPolicies : host.requestMirrorPolicies;
  const path = compiled(route, host)?.action;
  const names = (added: Route["requestHeadersToAdd"], removed: readonly string[]) => [
    ...added.map(({ header }) => header?.key ?? ""),
    ...removed.map((name) => `−${name}`),
  ];
  return {
    timeoutMs: action.maxStreamDuration
      ? (durationMs(action.maxStreamDuration.maxStreamDuration) ?? 0)
      : (durationMs(action.timeout) ?? 15_000),
    idleTimeoutMs: durationMs(action.idleTimeout) ?? null,
    retry: retry
      ? { on: retry.retryOn, attempts: retry.numRetries ?? 1, perTryTimeoutMs: durationMs(retry.perTryTimeout) ?? 0 }
      : null,
    mirrors: mirrors.map(({ cluster, runtimeFraction }) => ({
      cluster,
      share: fraction(runtimeFraction?.defaultValue, 1),
    })),
    path: path?.kind === "forward" ? (path.rewritePath?.(request.path) ?? null) : null,
    authority: rewrittenHost(action, request),
    hashedBy: action.hashPolicy.map(hashWords),
    requestHeaders: names(route.requestHeadersToAdd, route.requestHeadersToRemove),
    responseHeaders: names(route.responseHeadersToAdd, route.responseHeadersToRemove),
  };
}

function rewrittenHost({ hostRewriteSpecifier: rewrite }: RouteAction, request: ExplainRequest): string | null {
  if (rewrite.case === "hostRewriteLiteral") return rewrite.value;
  if (rewrite.case === "hostRewriteHeader") return getHeader(request.headers, rewrite.value.toLowerCase()) ?? null;
  return null;
}

function hashWords({ policySpecifier: { case: kind, value } }: RouteAction_HashPolicy): string {
  switch (kind) {
    case "header":
      return `header ${value.headerName}`;
    case "cookie":
      return `cookie ${value.name}`;
    case "queryParameter":
      return `query ${value.name}`;
    case "connectionProperties":
      return "source address";
    default:
      return kind ?? "";
  }
}

/** Of a route that answers by itself. */
export function answerOf(route: Route, host: VirtualHost, request: ExplainRequest): ExplainedEnd | undefined {
  const nothing = { details: "direct_response", location: "" };
  if (route.action.case === "directResponse")
    return { kind: "answered", status: route.action.value.status, ...nothing };
  if (route.action.case !== "redirect") return undefined;
  const action = compiled(route, host)?.action;
  if (action?.kind !== "redirect") return { kind: "redirected", status: 301, ...nothing };
  return { kind: "redirected", status: action.status, ...nothing, location: redirectLocation(action, request) };
}

/** As the data plane has it; undefined where something in it is not known to ours. */
function compiled(route: Route, host: VirtualHost): CompiledRoute | undefined {
  try {
    return compileRoute(route, host, () => new Map());
  } catch {
    return undefined;
  }
}
