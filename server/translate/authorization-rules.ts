import { isIP } from "node:net";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { CidrRangeSchema } from "../gen/proto/envoy/config/core/v3/address_pb.js";
import type { PermissionSchema, PolicySchema, PrincipalSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import type { HeaderMatcherSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { UriTemplateMatchConfigSchema } from "../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import type { StringMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { AuthorizationPolicy } from "../model/authorization-policies.ts";
import { claimIs, metadataMatcher, requestPrincipal, stringValue } from "./authorization-claims.ts";
import { quoteRegex, regexMatcher, wildcardMatcher } from "./wildcard-matcher.ts";

type Permission = MessageInitShape<typeof PermissionSchema>;
type Principal = MessageInitShape<typeof PrincipalSchema>;
type StringMatcher = MessageInitShape<typeof StringMatcherSchema>;
type Rule = AuthorizationPolicy["rules"][number];
type Source = NonNullable<Rule["from"]>[number]["source"];
type Operation = NonNullable<Rule["to"]>[number]["operation"];
type Condition = NonNullable<Rule["when"]>[number];

/** One field with its opposite: any of `values`, and none of `not`. `make` is undefined for what TCP does not show. */
interface Test<T> {
  make: ((value: string) => T) | undefined;
  values: readonly string[] | undefined;
  not: readonly string[] | undefined;
}

/**
 * A rule as Envoy has it: whoever is one of `principals` and does one of `permissions`. For TCP, what only HTTP shows makes a rule that
 * allows match nothing (undefined), and is left out of one that denies: both ways less is let in (Istio's `checkError`).
 */
export function policyOf(
  rule: Rule,
  policy: AuthorizationPolicy,
  forTcp: boolean,
): MessageInitShape<typeof PolicySchema> | undefined {
  const http = <T>(make: T): T | undefined => (forTcp ? undefined : make);
  const when = (rule.when ?? []).map((condition) => conditionTest(condition, policy, http));
  const sources = (rule.from ?? [{ source: undefined }]).map(({ source }) => [
    ...(source ? sourceTests(source, policy, http) : []),
    ...when.flatMap(({ principal }) => principal ?? []),
  ]);
  const operations = (rule.to ?? [{ operation: undefined }]).map(({ operation }) => [
    ...(operation ? operationTests(operation, http) : []),
    ...when.flatMap(({ permission }) => permission ?? []),
  ]);
  const allows = policy.action === "ALLOW";
  const isBlind = (tests: Test<unknown>[]) => allows && tests.some(({ make, values, not }) => !make && (values ?? not));
  if (sources.some(isBlind) || operations.some(isBlind)) return undefined;
  return {
    principals: sources.map((tests) =>
      principalAnd(tests.flatMap((test) => conjuncts(test, principalOr, principalNot))),
    ),
    permissions: operations.map((tests) =>
      permissionAnd(tests.flatMap((test) => conjuncts(test, permissionOr, permissionNot))),
    ),
  };
}

type HttpOnly = <T>(make: T) => T | undefined;

const sourceTests = (source: Source, policy: AuthorizationPolicy, http: HttpOnly): Test<Principal>[] => [
  { make: authenticatedAs(spiffeMatcher), values: source.principals, not: source.notPrincipals },
  {
    make: authenticatedAs((value) => accountMatcher(value, policy.namespace)),
    values: source.serviceAccounts,
    not: source.notServiceAccounts,
  },
  { make: authenticatedAs(namespaceMatcher), values: source.namespaces, not: source.notNamespaces },
  {
    make: authenticatedAs(trustDomainMatcher),
    values: source.trustDomains,
    not: source.notTrustDomains,
  },
  { make: http(requestPrincipal), values: source.requestPrincipals, not: source.notRequestPrincipals },
  { make: http(remoteIp), values: source.remoteIpBlocks, not: source.notRemoteIpBlocks },
  { make: directIp, values: source.ipBlocks, not: source.notIpBlocks },
];

const operationTests = (operation: Operation, http: HttpOnly): Test<Permission>[] => [
  { make: http(headerPermission(":authority", true)), values: operation.hosts, not: operation.notHosts },
  { make: http(headerPermission(":method", false)), values: operation.methods, not: operation.notMethods },
  { make: http(urlPath), values: operation.paths, not: operation.notPaths },
  { make: destinationPort, values: operation.ports, not: operation.notPorts },
];

function conditionTest(
  { key, values, notValues: not }: Condition,
  policy: AuthorizationPolicy,
  http: HttpOnly,
): { principal?: Test<Principal>; permission?: Test<Permission> } {
  const principal = (make: Test<Principal>["make"]) => ({ principal: { make, values, not } });
  const permission = (make: Test<Permission>["make"]) => ({ permission: { make, values, not } });
  const header = /^request\.headers\[(.+)\]$/.exec(key)?.[1];
  if (header !== undefined) {
    return principal(http((value) => ({ identifier: { case: "header", value: headerMatcher(header, value, false) } })));
  }
  const claims = /^request\.auth\.claims\[(.+)\]$/.exec(key)?.[1];
  if (claims !== undefined) return principal(http(claimIs(claims.split("]["))));
  const noted = /^experimental\.(envoy\.filters\.[^[]+)\[(.+)\]$/.exec(key);
  if (noted) return permission((value) => ({ rule: { case: "metadata", value: notedIs(noted[1], noted[2], value) } }));
  switch (key) {
    case "request.auth.principal":
      return principal(http(requestPrincipal));
    case "request.auth.audiences":
      return principal(http(claimIs(["aud"])));
    case "request.auth.presenter":
      return principal(http(claimIs(["azp"])));
    case "source.trustDomain":
      return principal(authenticatedAs(trustDomainMatcher));
    case "source.ip":
      return principal(directIp);
    case "remote.ip":
      return principal(http(remoteIp));
    case "source.namespace":
      return principal(authenticatedAs(namespaceMatcher));
    case "source.serviceAccount":
      return principal(authenticatedAs((value) => accountMatcher(value, policy.namespace)));
    case "source.principal":
      return principal(authenticatedAs(spiffeMatcher));
    case "destination.ip":
      return permission((value) => ({ rule: { case: "destinationIp", value: cidr(value) } }));
    case "destination.port":
      return permission(destinationPort);
    default:
      return permission((value) => ({ rule: { case: "requestedServerName", value: wildcardMatcher(value) } }));
  }
}

/** What another filter noted; in brackets, of a list. */
function notedIs(filter = "", key = "", value = ""): ReturnType<typeof metadataMatcher> {
  const inList = /^\[(.*)\]$/.exec(value)?.[1];
  if (inList === undefined) return metadataMatcher(filter, [key], stringValue(wildcardMatcher(value)));
  const oneOf = { case: "oneOf", value: stringValue(wildcardMatcher(inList)) } as const;
  return metadataMatcher(filter, [key], { matchPattern: { case: "listMatch", value: { matchPattern: oneOf } } });
}

function conjuncts<T>({ make, values, not }: Test<T>, or: (all: T[]) => T, negate: (it: T) => T): T[] {
  if (!make) return [];
  return [...(values?.length ? [or(values.map(make))] : []), ...(not?.length ? [negate(or(not.map(make)))] : [])];
}

const principalAnd = (ids: Principal[]): Principal => ({
  identifier: { case: "andIds", value: { ids: ids.length > 0 ? ids : [{ identifier: { case: "any", value: true } }] } },
});
const principalOr = (ids: Principal[]): Principal => ({ identifier: { case: "orIds", value: { ids } } });
const principalNot = (value: Principal): Principal => ({ identifier: { case: "notId", value } });
const permissionAnd = (rules: Permission[]): Permission => ({
  rule: { case: "andRules", value: { rules: rules.length > 0 ? rules : [{ rule: { case: "any", value: true } }] } },
});
const permissionOr = (rules: Permission[]): Permission => ({ rule: { case: "orRules", value: { rules } } });
const permissionNot = (value: Permission): Permission => ({ rule: { case: "notRule", value } });

/** Who showed a certificate: a connection in plain text is nobody. */
const authenticatedAs =
  (matcher: (value: string) => StringMatcher) =>
  (value: string): Principal => ({ identifier: { case: "authenticated", value: { principalName: matcher(value) } } });

const directIp = (value: string): Principal => ({ identifier: { case: "directRemoteIp", value: cidr(value) } });
const remoteIp = (value: string): Principal => ({ identifier: { case: "remoteIp", value: cidr(value) } });
const destinationPort = (value: string): Permission => ({ rule: { case: "destinationPort", value: Number(value) } });

const urlPath = (value: string): Permission =>
  /[{}]/.test(value)
    ? { rule: { case: "uriTemplate", value: pathTemplate(value) } }
    : { rule: { case: "urlPath", value: { rule: { case: "path", value: wildcardMatcher(value) } } } };

/** Envoy writes `*` and `**` for what Istio writes as `{*}` and `{**}`. https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/path/match/uri_template/v3/uri_template_match.proto */
const pathTemplate = (value: string) => ({
  name: "uri-template",
  typedConfig: anyPack(
    UriTemplateMatchConfigSchema,
    create(UriTemplateMatchConfigSchema, { pathTemplate: value.replaceAll("{*}", "*").replaceAll("{**}", "**") }),
  ),
});

const headerPermission =
  (name: string, ignoreCase: boolean) =>
  (value: string): Permission => ({ rule: { case: "header", value: headerMatcher(name, value, ignoreCase) } });

const headerMatcher = (
  name: string,
  value: string,
  ignoreCase: boolean,
): MessageInitShape<typeof HeaderMatcherSchema> =>
  value === "*"
    ? { name, headerMatchSpecifier: { case: "presentMatch", value: true } }
    : { name, headerMatchSpecifier: { case: "stringMatch", value: { ...wildcardMatcher(value), ignoreCase } } };

/** Of a certificate's URI, which begins with the scheme. */
function spiffeMatcher(value: string): StringMatcher {
  if (value.startsWith("*") && value !== "*") return regexMatcher(`${scheme}.*${quoteRegex(value.slice(1))}`);
  const { matchPattern } = wildcardMatcher(value);
  if (matchPattern?.case !== "exact" && matchPattern?.case !== "prefix") return { matchPattern };
  return { matchPattern: { ...matchPattern, value: scheme + matchPattern.value } };
}
const scheme = "spiffe://";

const namespaceMatcher = (value: string): StringMatcher =>
  regexMatcher(`.*/ns/${value.split("*").map(quoteRegex).join(".*")}/.*`);

function accountMatcher(value: string, ownNamespace: string): StringMatcher {
  const slash = value.indexOf("/");
  const namespace = slash < 0 ? ownNamespace : value.slice(0, slash);
  return regexMatcher(`spiffe://.+/ns/${quoteRegex(namespace)}/(.+/|)sa/${quoteRegex(value.slice(slash + 1))}(/.+)?`);
}

function trustDomainMatcher(value: string): StringMatcher {
  if (value === "*") return { matchPattern: { case: "prefix", value: scheme } };
  if (!value.includes("*")) return { matchPattern: { case: "prefix", value: `${scheme}${value}/` } };
  return regexMatcher(`${scheme}${value.split("*").map(quoteRegex).join("[^/]*")}/.*`);
}

function cidr(block: string): MessageInitShape<typeof CidrRangeSchema> {
  const [addressPrefix = "", bits] = block.split("/");
  return { addressPrefix, prefixLen: bits === undefined ? (isIP(addressPrefix) === 6 ? 128 : 32) : Number(bits) };
}
