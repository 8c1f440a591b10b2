import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfig } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  RBAC_Action as Action,
  MetadataSource,
  type Permission,
  type Policy,
  type Principal,
  type RBAC,
  type SourcedMetadata,
} from "../../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { UriTemplateMatchConfigSchema } from "../../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import type { MetadataMatcher } from "../../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import { at, each, together } from "../config/problems.ts";
import type { DownstreamFacts } from "../http/stream.ts";
import { compileHeader } from "../match/header-matcher.ts";
import { compileMetadata } from "../match/metadata-matcher.ts";
import type { RequestView } from "../match/request-view.ts";
import { compileRanges } from "../text/ip-range.ts";
import { compilePathTemplate } from "../text/path-template.ts";
import { compileString } from "../text/string-matcher.ts";
import type { CertificateInfo } from "../tls/certificate-info.ts";

/** Who wants what: a request, or a connection of which nothing but its ends and its handshake is known. */
export interface RbacSubject {
  readonly connection: Pick<DownstreamFacts, "remoteAddress" | "localAddress" | "localPort"> & {
    /** Undefined: plain text; its `peer` undefined: the client showed no certificate. */
    readonly tls: { readonly peer: Pick<CertificateInfo, "uris" | "dns" | "subject"> | undefined } | undefined;
  };
  /** That the client asked for in its handshake; may be empty. */
  readonly serverName: string;
  /** Where the request came from first, as far as `x-forwarded-for` is believed. */
  readonly remoteAddress: string;
  /** Undefined: a connection. */
  readonly request: RequestView | undefined;
}

export interface RbacVerdict {
  readonly allowed: boolean;
  /** The policy that decided; "" when none matched. */
  readonly policy: string;
  /** With action LOG: whether a policy matched. */
  readonly logged: boolean;
}

export type RbacEngine = (subject: RbacSubject) => RbacVerdict;

type Test = (subject: RbacSubject) => boolean;

/**
 * Envoy's role-based access control: policies in the order of their names, the first that matches decides.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
 * Throws Errors naming the fields.
 */
export function compileRbac(config: RBAC): RbacEngine {
  const { action } = config;
  const names = Object.keys(config.policies).sort();
  const policies = each(
    "policies",
    names,
    (name) => ({ name, test: compilePolicy(config.policies[name] as Policy) }),
    (name) => JSON.stringify(name),
  );
  return (subject) => {
    const policy = policies.find(({ test }) => test(subject))?.name ?? "";
    const matched = policy !== "";
    const allowed = action === Action.LOG || matched === (action === Action.ALLOW);
    return { allowed, policy, logged: action === Action.LOG && matched };
  };
}

/** Any of the permissions, by any of the principals. */
function compilePolicy(policy: Policy): Test {
  if (policy.condition !== undefined) throw new Error("condition: not supported");
  if (policy.checkedCondition !== undefined) throw new Error("checked_condition: not supported");
  const { permissions, principals } = together<Record<"permissions" | "principals", Test[]>>({
    permissions: () => each("permissions", policy.permissions, compilePermission),
    principals: () => each("principals", policy.principals, compilePrincipal),
  });
  const [permitted, meant] = [some(permissions), some(principals)];
  return (subject) => permitted(subject) && meant(subject);
}

function compilePermission({ rule }: Permission): Test {
  switch (rule.case) {
    case "any":
      return () => true;
    case "andRules":
      return all(at("and_rules", () => each("rules", rule.value.rules, compilePermission)));
    case "orRules":
      return some(at("or_rules", () => each("rules", rule.value.rules, compilePermission)));
    case "notRule":
      return not(at("not_rule", () => compilePermission(rule.value)));
    case "header":
      return ofRequest(at("header", () => compileHeader(rule.value)));
    case "urlPath":
      return at("url_path", () => pathTest(rule.value.rule));
    case "uriTemplate":
      return at("uri_template", () => templateTest(rule.value));
    case "destinationIp": {
      const within = at("destination_ip", () => compileRanges([rule.value], ""));
      return ({ connection }) => within(connection.localAddress);
    }
    case "destinationPort": {
      const { value } = rule;
      return ({ connection }) => connection.localPort === value;
    }
    case "destinationPortRange": {
      const { start, end } = rule.value;
      return ({ connection }) => connection.localPort >= start && connection.localPort < end;
    }
    case "metadata":
      return at("metadata", () => metadataTest(rule.value, MetadataSource.DYNAMIC));
    case "sourcedMetadata":
      return at("sourced_metadata", () => sourcedTest(rule.value));
    case "requestedServerName": {
      const test = at("requested_server_name", () => compileString(rule.value));
      return ({ serverName }) => test(serverName);
    }
    default:
      throw new Error(`${rule.case ?? "rule"}: ${rule.case === undefined ? "required" : "not supported"}`);
  }
}

function compilePrincipal({ identifier }: Principal): Test {
  switch (identifier.case) {
    case "any":
      return () => true;
    case "andIds":
      return all(at("and_ids", () => each("ids", identifier.value.ids, compilePrincipal)));
    case "orIds":
      return some(at("or_ids", () => each("ids", identifier.value.ids, compilePrincipal)));
    case "notId":
      return not(at("not_id", () => compilePrincipal(identifier.value)));
    case "authenticated": {
      const { principalName } = identifier.value;
      return authenticated(principalName && at("authenticated.principal_name", () => compileString(principalName)));
    }
    case "sourceIp":
    case "directRemoteIp": {
      const within = at("direct_remote_ip", () => compileRanges([identifier.value], ""));
      return ({ connection }) => within(connection.remoteAddress);
    }
    case "remoteIp": {
      const within = at("remote_ip", () => compileRanges([identifier.value], ""));
      return ({ remoteAddress }) => within(remoteAddress);
    }
    case "metadata":
      return at("metadata", () => metadataTest(identifier.value, MetadataSource.DYNAMIC));
    case "sourcedMetadata":
      return at("sourced_metadata", () => sourcedTest(identifier.value));
    case "header":
      return ofRequest(at("header", () => compileHeader(identifier.value)));
    case "urlPath":
      return at("url_path", () => pathTest(identifier.value.rule));
    default:
      throw new Error(
        `${identifier.case ?? "identifier"}: ${identifier.case === undefined ? "required" : "not supported"}`,
      );
  }
}

/** Of the names that a client's certificate has, those of the best kind count: URIs, else DNS names, else its subject. Plain text is nobody. */
function authenticated(test: ((name: string) => boolean) | undefined): Test {
  return ({ connection: { tls } }) => {
    if (tls === undefined) return false;
    if (test === undefined) return true;
    const { peer } = tls;
    if (peer === undefined) return test("");
    const names = peer.uris.length > 0 ? peer.uris : peer.dns.length > 0 ? peer.dns : [peer.subject];
    return names.some(test);
  };
}

/** What filters have found out, or what the route says of itself; of a connection there is neither. */
function metadataTest(matcher: MetadataMatcher, source: MetadataSource): Test {
  const test = compileMetadata(matcher);
  return source === MetadataSource.ROUTE
    ? ({ request }) => test(request?.routeMetadata)
    : ({ request }) => test(request?.dynamicMetadata);
}

function sourcedTest({ metadataMatcher, metadataSource }: SourcedMetadata): Test {
  if (metadataMatcher === undefined) throw new Error("metadata_matcher: required");
  return at("metadata_matcher", () => metadataTest(metadataMatcher, metadataSource));
}

/** The one extension that Envoy has there. */
function templateTest({ typedConfig }: TypedExtensionConfig): Test {
  const config = typedConfig && anyUnpack(typedConfig, UriTemplateMatchConfigSchema);
  if (config === undefined) throw new Error(`typed_config: must be a ${UriTemplateMatchConfigSchema.typeName}`);
  const test = at("typed_config.path_template", () => compilePathTemplate(config.pathTemplate));
  return ({ request }) => request !== undefined && test(pathOnly(request.path));
}

/** Without the query and what follows it. */
function pathTest(rule: { case: string | undefined; value?: unknown }): Test {
  if (rule.case !== "path") throw new Error("path: required");
  const test = at("path", () => compileString(rule.value as Parameters<typeof compileString>[0]));
  return ({ request }) => request !== undefined && test(pathOnly(request.path));
}

/** Without the query and what follows it; each of many policies asks. */
function pathOnly(path: string): string {
  const [query, fragment] = [path.indexOf("?"), path.indexOf("#")];
  if (query < 0 && fragment < 0) return path;
  return path.slice(0, query < 0 || (fragment >= 0 && fragment < query) ? fragment : query);
}

const ofRequest =
  (test: (view: RequestView) => boolean): Test =>
  ({ request }) =>
    request !== undefined && test(request);

/** One test is itself: policies are lists of lists, most of them of one. */
function all(tests: readonly Test[]): Test {
  if (tests.length === 1) return tests[0] as Test;
  return (subject) => {
    for (const test of tests) if (!test(subject)) return false;
    return true;
  };
}

function some(tests: readonly Test[]): Test {
  if (tests.length === 1) return tests[0] as Test;
  return (subject) => {
    for (const test of tests) if (test(subject)) return true;
    return false;
  };
}

const not =
  (test: Test): Test =>
  (subject) =>
    !test(subject);
