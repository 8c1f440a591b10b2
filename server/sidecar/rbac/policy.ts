import { anyUnpack } from "@bufbuild/protobuf/wkt";
import type { TypedExtensionConfig } from "../../gen/proto/envoy/config/core/v3/extension_pb.js";
import {
  MetadataSource,
  type Permission,
  type Policy,
  type Principal,
  type SourcedMetadata,
} from "../../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import type { HeaderMatcher } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { UriTemplateMatchConfigSchema } from "../../gen/proto/envoy/extensions/path/match/uri_template/v3/uri_template_match_pb.js";
import type { MetadataMatcher } from "../../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import type { PathMatcher } from "../../gen/proto/envoy/type/matcher/v3/path_pb.js";
import { at, each, together } from "../config/problems.ts";
import { compileHeader } from "../match/header-matcher.ts";
import { compileMetadata } from "../match/metadata-matcher.ts";
import type { RequestView } from "../match/request-view.ts";
import type { Metadata } from "../record.ts";
import { compileRanges } from "../text/ip-range.ts";
import { compilePathTemplate } from "../text/path-template.ts";
import { compileString } from "../text/string-matcher.ts";
import { headerNeed, metadataNeed, remoteNeed, textNeed } from "./needs.ts";
import { all, anything, not, ofConnection, ofRequest, ofSubject, type Rule, some } from "./rule.ts";

/** Any of the permissions, by any of the principals. */
export interface CompiledPolicy {
  readonly permitted: Rule;
  readonly meant: Rule;
}

/** Throws Errors naming the fields. */
export function compilePolicy(policy: Policy): CompiledPolicy {
  if (policy.condition !== undefined) throw new Error("condition: not supported");
  if (policy.checkedCondition !== undefined) throw new Error("checked_condition: not supported");
  const { permissions, principals } = together<Record<"permissions" | "principals", Rule[]>>({
    permissions: () => each("permissions", policy.permissions, compilePermission),
    principals: () => each("principals", policy.principals, compilePrincipal),
  });
  return { permitted: some(permissions), meant: some(principals) };
}

function compilePermission({ rule }: Permission): Rule {
  switch (rule.case) {
    case "any":
      return anything;
    case "andRules":
      return all(at("and_rules", () => each("rules", rule.value.rules, compilePermission)));
    case "orRules":
      return some(at("or_rules", () => each("rules", rule.value.rules, compilePermission)));
    case "notRule":
      return not(at("not_rule", () => compilePermission(rule.value)));
    case "header":
      return at("header", () => headerRule(rule.value));
    case "urlPath":
      return at("url_path", () => pathRule(rule.value));
    case "uriTemplate":
      return at("uri_template", () => templateRule(rule.value));
    case "destinationIp": {
      const within = at("destination_ip", () => compileRanges([rule.value], ""));
      return ofConnection(({ localAddress }) => within(localAddress));
    }
    case "destinationPort": {
      const { value } = rule;
      return ofConnection(({ localPort }) => localPort === value);
    }
    case "destinationPortRange": {
      const { start, end } = rule.value;
      return ofConnection(({ localPort }) => localPort >= start && localPort < end);
    }
    case "metadata":
      return at("metadata", () => metadataRule(rule.value, MetadataSource.DYNAMIC));
    case "sourcedMetadata":
      return at("sourced_metadata", () => sourcedRule(rule.value));
    case "requestedServerName": {
      const test = at("requested_server_name", () => compileString(rule.value));
      return ofSubject(({ serverName }) => test(serverName));
    }
    default:
      throw new Error(`${rule.case ?? "rule"}: ${rule.case === undefined ? "required" : "not supported"}`);
  }
}

function compilePrincipal({ identifier }: Principal): Rule {
  switch (identifier.case) {
    case "any":
      return anything;
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
      return ofConnection(({ remoteAddress }) => within(remoteAddress));
    }
    case "remoteIp": {
      const within = at("remote_ip", () => compileRanges([identifier.value], ""));
      return ofSubject(({ remoteAddress }) => within(remoteAddress), remoteNeed(identifier.value));
    }
    case "metadata":
      return at("metadata", () => metadataRule(identifier.value, MetadataSource.DYNAMIC));
    case "sourcedMetadata":
      return at("sourced_metadata", () => sourcedRule(identifier.value));
    case "header":
      return at("header", () => headerRule(identifier.value));
    case "urlPath":
      return at("url_path", () => pathRule(identifier.value));
    default:
      throw new Error(
        `${identifier.case ?? "identifier"}: ${identifier.case === undefined ? "required" : "not supported"}`,
      );
  }
}

/** Of the names that a client's certificate has, those of the best kind count: URIs, else DNS names, else its subject. Plain text is nobody. */
function authenticated(test: ((name: string) => boolean) | undefined): Rule {
  return ofConnection(({ tls }) => {
    if (tls === undefined) return false;
    if (test === undefined) return true;
    const { peer } = tls;
    if (peer === undefined) return test("");
    const names = peer.uris.length > 0 ? peer.uris : peer.dns.length > 0 ? peer.dns : [peer.subject];
    return names.some(test);
  });
}

const headerRule = (matcher: HeaderMatcher): Rule => ofRequest(compileHeader(matcher), headerNeed(matcher));

const dynamicMetadata = ({ dynamicMetadata: of }: RequestView): Metadata | undefined => of;
const routeMetadata = ({ routeMetadata: of }: RequestView): Metadata | undefined => of;

/** What filters have found out, or what the route says of itself; of a connection there is neither, which some matchers want. */
function metadataRule(matcher: MetadataMatcher, source: MetadataSource): Rule {
  const test = compileMetadata(matcher);
  const of = source === MetadataSource.ROUTE ? routeMetadata : dynamicMetadata;
  return ofSubject(({ request }) => test(request && of(request)), metadataNeed(matcher, MetadataSource[source], of));
}

function sourcedRule({ metadataMatcher, metadataSource }: SourcedMetadata): Rule {
  if (metadataMatcher === undefined) throw new Error("metadata_matcher: required");
  return at("metadata_matcher", () => metadataRule(metadataMatcher, metadataSource));
}

/** The one extension that Envoy has there. */
function templateRule({ typedConfig }: TypedExtensionConfig): Rule {
  const config = typedConfig && anyUnpack(typedConfig, UriTemplateMatchConfigSchema);
  if (config === undefined) throw new Error(`typed_config: must be a ${UriTemplateMatchConfigSchema.typeName}`);
  const test = at("typed_config.path_template", () => compilePathTemplate(config.pathTemplate));
  const prefix = /^[^{*]*/.exec(config.pathTemplate)?.[0] ?? "";
  return ofRequest((view) => test(pathOnly(view)), {
    fact: { id: pathId, read: ({ request }) => pathOnly(request) },
    prefixes: [prefix],
  });
}

/** Without the query and what follows it. */
function pathRule({ rule }: PathMatcher): Rule {
  if (rule.case !== "path") throw new Error("path: required");
  const test = at("path", () => compileString(rule.value));
  return ofRequest((view) => test(pathOnly(view)), textNeed(pathId, pathOnly, rule.value));
}

const pathId = "path";

function pathOnly({ path }: RequestView): string {
  const [query, fragment] = [path.indexOf("?"), path.indexOf("#")];
  if (query < 0 && fragment < 0) return path;
  return path.slice(0, query < 0 || (fragment >= 0 && fragment < query) ? fragment : query);
}
