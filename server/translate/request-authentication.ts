import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import {
  JwtAuthenticationSchema,
  type JwtProviderSchema,
  type JwtRequirementSchema,
} from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import type { HttpFilterSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import type { JWTRule } from "../model/specs.ts";
import { duration, seconds } from "./duration.ts";
import { jwtFilterName, jwtPayload } from "./names.ts";

type Requirement = MessageInitShape<typeof JwtRequirementSchema>;

export interface JwtFilterOptions {
  /** The cluster through which an issuer's keys are fetched. */
  clusterOf(jwksUri: string): string;
  /** Routes are chosen after the token was looked at, so that they may tell by its claims. */
  reroutes: boolean;
}

/**
 * A token that is shown must be good for one of the rules; none need be shown. As istiod makes it of all policies of a workload together
 * (`convertToEnvoyJwtConfig`): rules that look in the same places help each other out, and each must be content with what is in its own.
 */
export function jwtFilter(
  rules: readonly JWTRule[],
  options: JwtFilterOptions,
): MessageInitShape<typeof HttpFilterSchema> {
  const sorted = [...rules].sort((a, b) => order(a.issuer ?? "", b.issuer ?? ""));
  const names = sorted.map((_, index) => `origins-${index}`);
  const providers = Object.fromEntries(sorted.map((it, index) => [`origins-${index}`, provider(it, options)]));
  const config = create(JwtAuthenticationSchema, {
    providers,
    rules: [
      {
        match: { pathSpecifier: { case: "prefix", value: "/" } },
        requirementType: { case: "requires", value: requirement(names) },
      },
    ],
    bypassCorsPreflight: true,
  });
  return {
    name: jwtFilterName,
    configType: { case: "typedConfig", value: anyPack(JwtAuthenticationSchema, config) },
  };
}

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function requirement(names: readonly string[]): Requirement {
  const byName = names.map((value): Requirement => ({ requiresType: { case: "providerName", value } }));
  const orMissing = byName.map((it) => anyOf([it, { requiresType: { case: "allowMissing", value: {} } }]));
  const [only] = orMissing;
  if (orMissing.length === 1 && only) return only;
  return anyOf([...byName, { requiresType: { case: "requiresAll", value: { requirements: orMissing } } }]);
}

const anyOf = (requirements: Requirement[]): Requirement => ({
  requiresType: { case: "requiresAny", value: { requirements } },
});

/** Claims that are lists written as one text, in every issuer's tokens. https://datatracker.ietf.org/doc/html/rfc8693#section-4.2 */
const alwaysLists = ["permission", "scope"];

function provider(
  rule: JWTRule,
  { clusterOf, reroutes }: JwtFilterOptions,
): MessageInitShape<typeof JwtProviderSchema> {
  const lists = new Set([...(rule.spaceDelimitedClaims ?? []), ...alwaysLists]);
  return {
    issuer: rule.issuer ?? "",
    audiences: rule.audiences ?? [],
    forward: rule.forwardOriginalToken ?? false,
    forwardPayloadHeader: rule.outputPayloadToHeader ?? "",
    payloadInMetadata: jwtPayload,
    normalizePayloadInMetadata: { spaceDelimitedClaims: [...lists].sort() },
    claimToHeaders: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({
      headerName: header,
      claimName: claim,
    })),
    fromHeaders: (rule.fromHeaders ?? []).map(({ name, prefix = "" }) => ({ name, valuePrefix: prefix })),
    fromParams: rule.fromParams ?? [],
    fromCookies: rule.fromCookies ?? [],
    clearRouteCache: reroutes,
    jwksSourceSpecifier: keysOf(rule, clusterOf),
  };
}

function keysOf(
  { jwks = "", jwksUri, timeout }: JWTRule,
  clusterOf: JwtFilterOptions["clusterOf"],
): MessageInitShape<typeof JwtProviderSchema>["jwksSourceSpecifier"] {
  if (jwksUri === undefined) return { case: "localJwks", value: { specifier: { case: "inlineString", value: jwks } } };
  const httpUri = {
    uri: jwksUri,
    httpUpstreamType: { case: "cluster", value: clusterOf(jwksUri) } as const,
    timeout: timeout === undefined ? seconds(5) : duration(timeout),
  };
  return { case: "remoteJwks", value: { httpUri, cacheDuration: seconds(300) } };
}
