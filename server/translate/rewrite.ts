import type { MessageInitShape } from "@bufbuild/protobuf";
import type { RouteActionSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { HTTPRewrite } from "../model/specs.ts";

type RouteActionInit = MessageInitShape<typeof RouteActionSchema>;

/**
 * `uri` replaces what the match matched: the prefix, or with an exact or regex match the whole path; that is what Envoy's
 * `prefix_rewrite` does in each case. https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRewrite
 */
export function pathRewrite(rewrite: HTTPRewrite | undefined): Pick<RouteActionInit, "prefixRewrite" | "regexRewrite"> {
  const regex = rewrite?.uriRegexRewrite;
  if (regex) return { regexRewrite: { pattern: { regex: regex.match }, substitution: regex.rewrite } };
  return rewrite?.uri ? { prefixRewrite: rewrite.uri } : {};
}

export const hostRewrite = (authority: string | undefined): Pick<RouteActionInit, "hostRewriteSpecifier"> =>
  authority ? { hostRewriteSpecifier: { case: "hostRewriteLiteral", value: authority } } : {};
