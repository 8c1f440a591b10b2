import type { Check, ConfigRule, ExplainedRoute } from "../contract/index.ts";
import type { Route, RouteMatch } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { getHeader } from "../sidecar/http/headers.ts";
import type { RequestView } from "../sidecar/match/request-view.ts";
import { compileMatch } from "../sidecar/route/route-match.ts";
import { fraction } from "../sidecar/runtime.ts";
import { allOk, check, headerCheck, judged, metadataCheck, queryCheck, unjudged } from "./checks.ts";
import { originOf } from "./origins.ts";

export interface JudgedRoute extends Omit<ExplainedRoute, "origin"> {
  origin: ConfigRule | null;
  route: Route;
}

/**
 * Every route in its order with what of it holds. The first that matches wholly takes what is left; one with a fraction takes its share, and the others the rest. Behind a
 * route that can't be judged all is uncertain, so that the walk goes on with the next as if it had not matched, and says so.
 */
export function judgeRoutes(routes: readonly Route[], view: RequestView): JudgedRoute[] {
  let left = 1;
  return routes.map((route, index) => {
    const checks = routeChecks(route.match, view);
    const matches = allOk(checks.filter(({ subject }) => subject !== "fraction"));
    const share = matches === true ? left * fraction(route.match?.runtimeFraction?.defaultValue, 1) : 0;
    const verdict = left === 0 ? "not-reached" : matches === null ? "unknown" : share > 0 ? "taken" : "passed";
    if (verdict === "taken") left = Math.max(0, left - share);
    const { does, to } = deedOf(route);
    return { index, name: route.name, verdict, share, checks, does, to, origin: originOf(route.metadata), route };
  });
}

/** Of a `RouteMatch`, the conditions in the order in which Envoy looks at them. */
function routeChecks(match: RouteMatch | undefined, view: RequestView): Check[] {
  if (match === undefined) return [unjudged("match")];
  const checks = [pathCheck(match, view)];
  for (const header of match.headers) checks.push(headerCheck(header, view));
  for (const parameter of match.queryParameters) checks.push(queryCheck(parameter, view));
  if (match.grpc !== undefined) checks.push(grpcCheck(match, view));
  if (match.tlsContext !== undefined) checks.push(unjudged("tls_context"));
  for (const matcher of match.dynamicMetadata) checks.push(metadataCheck(matcher, view.dynamicMetadata));
  const share = fraction(match.runtimeFraction?.defaultValue, 1);
  if (share < 1) checks.push(check("fraction", { operator: "share", value: String(share), ok: share > 0 }));
  return checks;
}

/** The path alone, by what the proxy itself makes of it. */
function pathCheck(match: RouteMatch, view: RequestView): Check {
  const question = view.path.indexOf("?");
  const path = question === -1 ? view.path : view.path.slice(0, question);
  const alone = {
    ...match,
    headers: [],
    queryParameters: [],
    dynamicMetadata: [],
    grpc: undefined,
    runtimeFraction: undefined,
  };
  return check("path", {
    ...pathWords(match),
    ignoreCase: match.caseSensitive === false,
    has: path,
    ok: judged(() => compileMatch(alone).path(path)),
  });
}

/** The condition on the path, in words of `Check`. */
export function pathWords({ pathSpecifier: { case: kind, value } }: RouteMatch): Pick<Check, "operator" | "value"> {
  switch (kind) {
    case "prefix":
      return value === "/" || value === "" ? { operator: "any", value: "" } : { operator: "prefix", value };
    case "path":
      return { operator: "exact", value };
    case "pathSeparatedPrefix":
      return { operator: "path-prefix", value };
    case "safeRegex":
      return { operator: "regex", value: value.regex };
    default:
      return { operator: "unknown", value: kind ?? "" };
  }
}

const grpcCheck = (match: RouteMatch, view: RequestView): Check =>
  check("grpc", {
    operator: "present",
    has: getHeader(view.headers, "content-type") ?? null,
    ok: judged(() => {
      const tests = compileMatch({
        ...match,
        headers: [],
        queryParameters: [],
        dynamicMetadata: [],
        runtimeFraction: undefined,
      }).tests;
      return tests.every((test) => test(view));
    }),
  });

/** What a route does with what it takes. */
export function deedOf({ action }: Route): Pick<ExplainedRoute, "does" | "to"> {
  switch (action.case) {
    case "route":
      return { does: "forward", to: clusterNames(action.value.clusterSpecifier) };
    case "redirect":
      return { does: "redirect", to: "" };
    case "directResponse":
      return { does: "answer", to: String(action.value.status) };
    default:
      return { does: "other", to: action.case ?? "" };
  }
}

type ClusterSpecifier = Extract<Route["action"], { case: "route" }>["value"]["clusterSpecifier"];

function clusterNames(specifier: ClusterSpecifier): string {
  switch (specifier.case) {
    case "cluster":
      return specifier.value;
    case "clusterHeader":
      return `header ${specifier.value}`;
    case "weightedClusters":
      return specifier.value.clusters.map(({ name }) => name).join(", ");
    default:
      return specifier.case ?? "";
  }
}
