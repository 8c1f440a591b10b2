import type { MessageInitShape } from "@bufbuild/protobuf";
import type {
  HeaderMatcherSchema,
  QueryParameterMatcherSchema,
  RouteMatchSchema,
} from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { StringMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import { compare } from "../model/hostname.ts";
import { type HTTPMatchRequest, routingClaim, type StringMatch } from "../model/specs.ts";
import { claimMatcher, stringValue } from "./authorization-claims.ts";

type RouteMatchInit = MessageInitShape<typeof RouteMatchSchema>;
type HeaderInit = MessageInitShape<typeof HeaderMatcherSchema>;

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPMatchRequest */
export function routeMatch(match: HTTPMatchRequest | undefined): RouteMatchInit {
  if (!match) return { pathSpecifier: { case: "prefix", value: "/" } };
  const [asked, unwanted] = [sorted(match.headers), sorted(match.withoutHeaders)];
  const headers = [
    ...asked.filter(isHeader).map(([name, value]) => header(name, value)),
    ...unwanted.filter(isHeader).map(([name, value]) => withoutHeader(name, value)),
  ].sort((a, b) => compare(a.name ?? "", b.name ?? ""));
  if (match.method) headers.push(header(":method", match.method));
  if (match.authority) headers.push(header(":authority", match.authority));
  if (match.scheme) headers.push(header(":scheme", match.scheme));
  return {
    pathSpecifier: path(match.uri),
    caseSensitive: !match.ignoreUriCase,
    headers,
    dynamicMetadata: [
      ...asked.flatMap(([name, value]) => claim(name, value) ?? []),
      ...unwanted.flatMap(([name, value]) => {
        const found = claim(name, value);
        return found ? [{ ...found, invert: true }] : [];
      }),
    ],
    queryParameters: sorted(match.queryParams).map(([name, value]) => queryParameter(name, value)),
  };
}

/** Nothing after such a route is ever reached. */
export function isCatchAll(match: RouteMatchInit): boolean {
  const specifier = match.pathSpecifier;
  const everyPath =
    (specifier?.case === "prefix" && specifier.value === "/") ||
    (specifier?.case === "safeRegex" && specifier.value.regex === ".*");
  return everyPath && ![match.headers, match.queryParameters, match.dynamicMetadata].some((it) => it?.length);
}

/** The path as a trace operation shows it. */
export function operationPath(match: RouteMatchInit): string {
  const specifier = match.pathSpecifier;
  if (specifier?.case === "prefix") return `${specifier.value}*`;
  if (specifier?.case === "path") return specifier.value;
  if (specifier?.case === "safeRegex") return specifier.value.regex ?? "";
  return "/*";
}

function path(uri: StringMatch | undefined): RouteMatchInit["pathSpecifier"] {
  if (uri?.exact !== undefined) return { case: "path", value: uri.exact };
  if (uri?.regex !== undefined) return { case: "safeRegex", value: { regex: uri.regex } };
  return { case: "prefix", value: uri?.prefix ?? "/" };
}

const isHeader = ([name]: [string, StringMatch]): boolean => routingClaim(name) === undefined;

/** A claim of a verified token, on a gateway; undefined: it is a header. https://istio.io/latest/docs/tasks/security/authentication/jwt-route/ */
function claim(name: string, match: StringMatch) {
  const claims = routingClaim(name);
  const value = stringMatch(match);
  return (
    claims && claimMatcher(claims, value ? stringValue(value) : { matchPattern: { case: "presentMatch", value: true } })
  );
}

function header(name: string, match: StringMatch): HeaderInit {
  const value = stringMatch(match);
  if (!value) return { name, headerMatchSpecifier: { case: "presentMatch", value: true } };
  return { name, headerMatchSpecifier: { case: "stringMatch", value } };
}

/** A missing header is not the value, so the inverted match must hold for it too. */
function withoutHeader(name: string, match: StringMatch): HeaderInit {
  return { ...header(name, match), invertMatch: true, treatMissingHeaderAsEmpty: stringMatch(match) !== undefined };
}

function queryParameter(name: string, match: StringMatch): MessageInitShape<typeof QueryParameterMatcherSchema> {
  const value = stringMatch(match);
  if (!value) return { name, queryParameterMatchSpecifier: { case: "presentMatch", value: true } };
  return { name, queryParameterMatchSpecifier: { case: "stringMatch", value } };
}

/** Undefined stands for "is there at all": an empty match, and Istio's `regex: "*"`, which is no RE2. */
export function stringMatch(match: StringMatch): MessageInitShape<typeof StringMatcherSchema> | undefined {
  if (match.exact !== undefined) return { matchPattern: { case: "exact", value: match.exact } };
  // An empty prefix is refused by Envoy and matches every value.
  if (match.prefix) return { matchPattern: { case: "prefix", value: match.prefix } };
  if (match.regex !== undefined && match.regex !== "*") {
    return { matchPattern: { case: "safeRegex", value: { regex: match.regex } } };
  }
  return undefined;
}

/** By name: maps have no order that a person chose, and output must not depend on the input's. */
const sorted = <V>(map: Readonly<Record<string, V>> | undefined): [string, V][] =>
  Object.entries(map ?? {}).sort(([a], [b]) => compare(a, b));
