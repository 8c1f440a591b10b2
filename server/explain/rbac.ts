import { create } from "@bufbuild/protobuf";
import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { Check, ExplainedFilter, ExplainedPolicy } from "../contract/index.ts";
import type { TypedExtensionConfig } from "../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  type Permission,
  PolicySchema,
  type Principal,
  type RBAC,
  RBAC_Action,
  RBACSchema,
} from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { UriTemplateMatchConfigSchema } from "../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import type { MetadataMatcher } from "../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import { compileRbac } from "../sidecar/rbac/engine.ts";
import type { RbacSubject } from "../sidecar/rbac/subject.ts";
import { allOk, anyOk, check, headerCheck, judged, metadataCheck, stringCheck, unjudged } from "./checks.ts";
import { policyOrigin } from "./origins.ts";

export type JudgedRbac = NonNullable<ExplainedFilter["rbac"]>;

/**
 * Every policy of a filter's rules with what of it holds, and what follows. A condition that can't be judged (what other filters found out about the request, such as the claims
 * of its token, where nobody said which) leaves a policy open; all others are judged by the proxy's own engine.
 */
export function judgeRbac(rules: RBAC, subject: RbacSubject, trial: boolean): { rbac: JudgedRbac; decidedBy: string } {
  const policies = Object.entries(rules.policies)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, policy]): ExplainedPolicy => {
      const origin = policyOrigin(name);
      const who = policy.principals.map((it) => principalCheck(it, subject));
      const what = policy.permissions.map((it) => permissionCheck(it, subject));
      const parts = [{ ok: anyOk(who) }, { ok: anyOk(what) }, ...(policy.condition ? [{ ok: null }] : [])];
      const told = allOk(parts);
      return {
        name,
        matched: told === null ? null : (judged(() => compileRbac(only(name, policy))(subject).allowed) ?? told),
        who,
        what,
        origin: origin && { ...origin, line: null },
      };
    });
  const action = rules.action === RBAC_Action.DENY ? "DENY" : rules.action === RBAC_Action.LOG ? "LOG" : "ALLOW";
  const decidedBy = policies.find(({ matched }) => matched === true)?.name ?? "";
  return { rbac: { action, trial, allowed: allowedBy(action, policies), policies }, decidedBy };
}

/** As the engine has it, where all are judged; a policy that applies decides, whatever is open beside it. */
function allowedBy(action: JudgedRbac["action"], policies: readonly ExplainedPolicy[]): boolean | null {
  if (action === "LOG") return true;
  const matched = anyOk(policies.map((policy) => ({ ok: policy.matched })));
  return matched === null ? null : matched === (action === "ALLOW");
}

const only = (name: string, policy: RBAC["policies"][string]): RBAC =>
  create(RBACSchema, { action: RBAC_Action.ALLOW, policies: { [name]: policy } });

const anyone = create(PolicySchema, {
  permissions: [{ rule: { case: "any", value: true } }],
  principals: [{ identifier: { case: "any", value: true } }],
});

/** One part of a policy by itself, the other left open. */
const holds = (
  part: { permissions: Permission[] } | { principals: Principal[] },
  subject: RbacSubject,
): boolean | null => judged(() => compileRbac(only("part", { ...anyone, ...part }))({ ...subject }).allowed);

function permissionCheck(permission: Permission, subject: RbacSubject): Check {
  const { rule } = permission;
  const ok = holds({ permissions: [permission] }, subject);
  const { connection, request } = subject;
  switch (rule.case) {
    case "any":
      return check("other", { operator: "any", ok });
    case "andRules":
      return group(
        "all-of",
        rule.value.rules.map((it) => permissionCheck(it, subject)),
      );
    case "orRules":
      return group(
        "any-of",
        rule.value.rules.map((it) => permissionCheck(it, subject)),
      );
    case "notRule":
      return negated(permissionCheck(rule.value, subject));
    case "header":
      return request ? headerCheck(rule.value, request) : check("header", { name: rule.value.name, ok: false });
    case "urlPath":
      return { ...pathOf(rule.value.rule, subject), ok };
    case "uriTemplate":
      return check("path", { operator: "template", value: templateOf(rule.value), has: pathIn(subject), ok });
    case "destinationIp":
      return range("destination-address", rule.value, connection.localAddress, ok);
    case "destinationPort":
      return check("destination-port", { value: String(rule.value), has: String(connection.localPort), ok });
    case "destinationPortRange":
      return check("destination-port", {
        operator: "range",
        value: `${rule.value.start} … ${rule.value.end - 1}`,
        has: String(connection.localPort),
        ok,
      });
    case "metadata":
      return noted(rule.value, subject);
    case "sourcedMetadata":
      return noted(rule.value.metadataMatcher, subject);
    case "requestedServerName":
      return stringCheck("server-name", rule.value, subject.serverName);
    default:
      return check("other", { name: rule.case ?? "", operator: "unknown", ok });
  }
}

function principalCheck(principal: Principal, subject: RbacSubject): Check {
  const { identifier } = principal;
  const ok = holds({ principals: [principal] }, subject);
  const { connection, request } = subject;
  switch (identifier.case) {
    case "any":
      return check("other", { operator: "any", ok });
    case "andIds":
      return group(
        "all-of",
        identifier.value.ids.map((it) => principalCheck(it, subject)),
      );
    case "orIds":
      return group(
        "any-of",
        identifier.value.ids.map((it) => principalCheck(it, subject)),
      );
    case "notId":
      return negated(principalCheck(identifier.value, subject));
    case "authenticated": {
      const has = connection.tls?.peer?.uris.join(", ") || null;
      const { principalName } = identifier.value;
      return principalName
        ? { ...stringCheck("principal", principalName, has), ok }
        : check("principal", { operator: "present", has, ok });
    }
    case "metadata":
      return noted(identifier.value, subject);
    case "sourcedMetadata":
      return noted(identifier.value.metadataMatcher, subject);
    case "sourceIp":
    case "directRemoteIp":
      return range("source-address", identifier.value, connection.remoteAddress, ok);
    case "remoteIp":
      return range("remote-address", identifier.value, subject.remoteAddress, ok);
    case "header":
      return request
        ? headerCheck(identifier.value, request)
        : check("header", { name: identifier.value.name, ok: false });
    case "urlPath":
      return { ...pathOf(identifier.value.rule, subject), ok };
    default:
      return check("other", { name: identifier.case ?? "", operator: "unknown", ok });
  }
}

const noted = (matcher: MetadataMatcher | undefined, { request }: RbacSubject): Check =>
  matcher ? metadataCheck(matcher, request?.dynamicMetadata) : unjudged("metadata");

/** A group of one is that one. */
function group(operator: "all-of" | "any-of", of: Check[]): Check {
  const [first] = of;
  if (of.length === 1 && first) return first;
  return check("other", { operator, of, ok: operator === "all-of" ? allOk(of) : anyOk(of) });
}

const negated = (inner: Check): Check => ({ ...inner, not: !inner.not, ok: inner.ok === null ? null : !inner.ok });

type UrlPath = Extract<Permission["rule"], { case: "urlPath" }>["value"]["rule"];

/** Istio's `/api/{*}/x` as it stands in the policy. */
const templateOf = ({ typedConfig }: TypedExtensionConfig): string =>
  (typedConfig && anyUnpack(typedConfig, UriTemplateMatchConfigSchema)?.pathTemplate) ?? "";

const pathIn = ({ request }: RbacSubject): string | null => (request ? request.path.replace(/[?#].*$/s, "") : null);

const pathOf = (rule: UrlPath, subject: RbacSubject): Check => {
  const has = pathIn(subject);
  return rule.case === "path" ? stringCheck("path", rule.value, has) : check("path", { operator: "unknown", has });
};

const range = (
  subject: Check["subject"],
  { addressPrefix, prefixLen }: { addressPrefix: string; prefixLen?: number | undefined },
  has: string,
  ok: boolean | null,
): Check => check(subject, { operator: "within", value: `${addressPrefix}/${prefixLen ?? 0}`, has: has || null, ok });
