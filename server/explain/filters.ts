import type { DescMessage, MessageShape } from "@bufbuild/protobuf";
import { type Any, anyUnpack, StructSchema } from "@bufbuild/protobuf/wkt";
import type { ExplainedFilter } from "../contract/index.ts";
import type { Filter } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { FilterConfigSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { type HTTPFault, HTTPFaultSchema } from "../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import { JwtAuthenticationSchema } from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import {
  type RBAC as HttpRbac,
  RBACSchema as HttpRbacSchema,
  RBACPerRouteSchema,
} from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import type { HttpConnectionManager } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { FractionalPercent } from "../gen/proto/envoy/type/v3/percent_pb.js";
import { durationMs } from "../sidecar/duration.ts";
import type { Token } from "../sidecar/filters/jwt/token.ts";
import { allMatch, compileHeaders } from "../sidecar/match/header-matcher.ts";
import type { RbacSubject } from "../sidecar/rbac/subject.ts";
import { fraction, type Runtime } from "../sidecar/runtime.ts";
import { judged } from "./checks.ts";
import { judgeJwt } from "./jwt.ts";
import { judgeRbac } from "./rbac.ts";

export interface JudgedFilters {
  filters: ExplainedFilter[];
  /** The policy that refused; undefined: none did. */
  denied: { policy: string } | undefined;
  /** What a filter answers to the request's token; undefined: nothing. */
  unauthenticated: { status: number; why: string } | undefined;
  /** The status with which every such request is aborted; 0: none. */
  aborted: number;
}

type PerFilter = { [name: string]: Any };

export interface FilterScope {
  /** Most specific first: the weighted cluster's, the route's, the virtual host's, the route configuration's. */
  perFilter: readonly PerFilter[];
  subject: RbacSubject;
  /** That the route would send it to. */
  cluster: string;
  runtime: Runtime;
  /** Null: it has none; undefined: nobody said. */
  token: Token | null | undefined;
  /** Unix seconds. */
  nowSec: number;
}

/** The HTTP filters in their order, those of the router's kind left out, each with what it does to such a request. */
export function judgeHttpFilters(manager: HttpConnectionManager, scope: FilterScope): JudgedFilters {
  const result: JudgedFilters = { filters: [], denied: undefined, unauthenticated: undefined, aborted: 0 };
  for (const { name, configType, disabled } of manager.httpFilters) {
    const own = configType.case === "typedConfig" ? configType.value : undefined;
    const named = overrideOf(scope.perFilter, name);
    const isOff = named?.disabled ?? disabled;
    if (isOff || typeNameOf(own).endsWith(".Router")) continue;
    judgeHttpFilter(result, name, own, named?.config, scope);
  }
  return result;
}

function judgeHttpFilter(
  result: JudgedFilters,
  name: string,
  own: Any | undefined,
  route: Any | undefined,
  scope: FilterScope,
): void {
  const rbac = unpack(own, HttpRbacSchema);
  if (rbac !== undefined) {
    const override = unpack(route, RBACPerRouteSchema);
    addRbac(result, name, override === undefined ? rbac : override.rbac, scope.subject);
    return;
  }
  const jwt = unpack(own, JwtAuthenticationSchema);
  if (jwt !== undefined && scope.token !== undefined && route === undefined) {
    const { metadata: _, reroutes: __, ...judged } = judgeJwt(jwt, scope.token, scope.nowSec);
    result.filters.push({ ...plain(name), kind: "jwt", jwt: judged });
    if (!judged.ok && isFirst(result)) result.unauthenticated = judged;
    return;
  }
  const fault = unpack(route, HTTPFaultSchema) ?? unpack(own, HTTPFaultSchema);
  if (fault !== undefined) {
    addFault(result, name, fault, scope);
    return;
  }
  result.filters.push({ ...plain(name), kind: kindOf(typeNameOf(own)) });
}

/** Before an HTTP connection manager or a TCP proxy: what is known then is the connection alone. */
export function judgeNetworkFilters(filters: readonly Filter[], subject: RbacSubject): JudgedFilters {
  const result: JudgedFilters = { filters: [], denied: undefined, unauthenticated: undefined, aborted: 0 };
  for (const { name, configType } of filters) {
    const config = configType.case === "typedConfig" ? configType.value : undefined;
    const rbac = unpack(config, NetworkRbacSchema);
    if (rbac === undefined) result.filters.push(plain(name));
    else addRbac(result, name, rbac, { ...subject, request: undefined });
  }
  return result;
}

/** No filter before it has answered. */
const isFirst = ({ denied, unauthenticated, aborted }: JudgedFilters): boolean =>
  denied === undefined && unauthenticated === undefined && aborted === 0;

/** Undefined rules: the route lets everybody in. */
function addRbac(
  result: JudgedFilters,
  name: string,
  config: Pick<HttpRbac, "rules" | "shadowRules"> | undefined,
  subject: RbacSubject,
): void {
  const { rules, shadowRules } = config ?? {};
  if (shadowRules)
    result.filters.push({ ...plain(name), kind: "rbac", rbac: judgeRbac(shadowRules, subject, true).rbac });
  if (!rules) return;
  const { rbac, decidedBy } = judgeRbac(rules, subject, false);
  result.filters.push({ ...plain(name), kind: "rbac", rbac });
  // Whoever is refused sees nothing of the filters that follow.
  if (rbac.allowed === false && isFirst(result)) result.denied = { policy: decidedBy };
}

function addFault(result: JudgedFilters, name: string, fault: HTTPFault, scope: FilterScope): void {
  const { subject, cluster, runtime } = scope;
  const { delay, abort, upstreamCluster, headers } = fault;
  if (!delay && !abort) return;
  const { request } = subject;
  const forIt = upstreamCluster === "" || upstreamCluster === cluster;
  const applies = forIt && request !== undefined && judged(() => allMatch(compileHeaders(headers), request)) === true;
  const fixed = delay?.faultDelaySecifier;
  const status = abort?.errorType;
  const abortStatus = status?.case === "httpStatus" ? status.value : status?.case === "grpcStatus" ? 200 : 0;
  const share = (key: string, percentage: FractionalPercent | undefined) =>
    runtime.now({ key, fallback: fraction(percentage, 0) });
  const abortShare = abort ? share(fault.abortPercentRuntime, abort.percentage) : 0;
  result.filters.push({
    ...plain(name),
    kind: "fault",
    fault: {
      delayMs: fixed?.case === "fixedDelay" ? (durationMs(fixed.value) ?? 0) : 0,
      delayShare: delay ? share(fault.delayPercentRuntime, delay.percentage) : 0,
      abortStatus,
      abortShare,
      applies,
    },
  });
  if (applies && abortShare === 1 && abortStatus > 0 && isFirst(result)) result.aborted ||= abortStatus;
}

const plain = (name: string): ExplainedFilter => ({ name, kind: "other", rbac: null, jwt: null, fault: null });

function kindOf(type: string): ExplainedFilter["kind"] {
  if (/\.cors\.v3\.Cors$/.test(type)) return "cors";
  if (/ratelimit/i.test(type)) return "rate-limit";
  return passesOn.test(type) ? "other" : "unjudged";
}

/** Filters that change or note something and never answer a request by themselves. Any other may: what is not known is not taken for harmless. */
const passesOn =
  /(header_mutation|header_to_metadata|set_metadata|set_filter_state|grpc_stats|grpc_web|grpc_http1_bridge|compressor|decompressor|stateful_session|alpn|peer_metadata|stats\.PluginConfig|tap|on_demand)/;

/** `FilterConfig` wraps a config, or switches the filter off. */
function overrideOf(
  scopes: readonly PerFilter[],
  name: string,
): { config: Any | undefined; disabled: boolean } | undefined {
  const any = scopes.find((configs) => configs[name] !== undefined)?.[name];
  if (any === undefined) return undefined;
  const wrapped = unpack(any, FilterConfigSchema);
  return wrapped ? { config: wrapped.config, disabled: wrapped.disabled } : { config: any, disabled: false };
}

/** Whoever sets a field to a type that is not known here has a Struct in its place. */
const unpack = <D extends DescMessage>(any: Any | undefined, schema: D): MessageShape<D> | undefined =>
  any && anyUnpack(any, schema);

function typeNameOf(any: Any | undefined): string {
  if (any === undefined) return "";
  const type = any.typeUrl.slice(any.typeUrl.lastIndexOf("/") + 1);
  const foreign =
    type === StructSchema.typeName ? anyUnpack(any, StructSchema)?.fields["@type"]?.kind.value : undefined;
  return typeof foreign === "string" ? foreign : type;
}
