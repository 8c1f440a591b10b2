import { isIP } from "node:net";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CidrRangeSchema } from "../gen/proto/envoy/config/core/v3/address_pb.js";
import type { PermissionSchema, PolicySchema, PrincipalSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import type { HeaderMatcherSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { StringMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { AuthorizationPolicy } from "../model/authorization-policies.ts";

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
  { make: authenticatedAs(principalMatcher), values: source.principals, not: source.notPrincipals },
  {
    make: authenticatedAs((value) => accountMatcher(value, policy.namespace)),
    values: source.serviceAccounts,
    not: source.notServiceAccounts,
  },
  { make: authenticatedAs(namespaceMatcher), values: source.namespaces, not: source.notNamespaces },
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
  switch (key) {
    case "source.ip":
      return principal(directIp);
    case "remote.ip":
      return principal(http(remoteIp));
    case "source.namespace":
      return principal(authenticatedAs(namespaceMatcher));
    case "source.serviceAccount":
      return principal(authenticatedAs((value) => accountMatcher(value, policy.namespace)));
    case "source.principal":
      return principal(authenticatedAs(principalMatcher));
    case "destination.ip":
      return permission((value) => ({ rule: { case: "destinationIp", value: cidr(value) } }));
    case "destination.port":
      return permission(destinationPort);
    default:
      return permission((value) => ({ rule: { case: "requestedServerName", value: stringMatcher(value) } }));
  }
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

const urlPath = (value: string): Permission => ({
  rule: { case: "urlPath", value: { rule: { case: "path", value: stringMatcher(value) } } },
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
    : { name, headerMatchSpecifier: { case: "stringMatch", value: { ...stringMatcher(value), ignoreCase } } };

/** `x`, `x*`, `*x`, and `*` for anything that is there at all. */
function stringMatcher(value: string, prefix = ""): StringMatcher {
  if (value === "*") return regex(".+");
  if (value.startsWith("*")) {
    if (prefix !== "") return regex(`${prefix}.*${quote(value.slice(1))}`);
    return { matchPattern: { case: "suffix", value: value.slice(1) } };
  }
  if (value.endsWith("*")) return { matchPattern: { case: "prefix", value: prefix + value.slice(0, -1) } };
  return { matchPattern: { case: "exact", value: prefix + value } };
}

const principalMatcher = (value: string): StringMatcher => stringMatcher(value, "spiffe://");

const namespaceMatcher = (value: string): StringMatcher => regex(`.*/ns/${value.split("*").map(quote).join(".*")}/.*`);

function accountMatcher(value: string, ownNamespace: string): StringMatcher {
  const slash = value.indexOf("/");
  const namespace = slash < 0 ? ownNamespace : value.slice(0, slash);
  return regex(`spiffe://.+/ns/${quote(namespace)}/(.+/|)sa/${quote(value.slice(slash + 1))}(/.+)?`);
}

const regex = (text: string): StringMatcher => ({ matchPattern: { case: "safeRegex", value: { regex: text } } });

/** For RE2. */
const quote = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");

function cidr(block: string): MessageInitShape<typeof CidrRangeSchema> {
  const [addressPrefix = "", bits] = block.split("/");
  return { addressPrefix, prefixLen: bits === undefined ? (isIP(addressPrefix) === 6 ? 128 : 32) : Number(bits) };
}
