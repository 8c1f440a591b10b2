import type { ExplainedFilter } from "../contract/index.ts";
import type {
  JwtAuthentication,
  JwtRequirement,
} from "../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { claimTests, judgeClaims, normalizedClaims } from "../sidecar/filters/jwt/claim-tests.ts";
import { statusTexts } from "../sidecar/filters/jwt/status.ts";
import type { Token } from "../sidecar/filters/jwt/token.ts";

type JudgedJwt = NonNullable<ExplainedFilter["jwt"]>;

export interface JwtJudgement extends JudgedJwt {
  /** What the filter notes of the request, for policies and routes. */
  metadata: Readonly<Record<string, unknown>>;
  /** Routes are chosen after the token was looked at. */
  reroutes: boolean;
}

/** By which name policies and routes find it. */
export const jwtMetadata = "envoy.filters.http.jwt_authn";

/** Which tokens a filter takes, and what it makes of the one that the request has; nobody's word: the request has none. */
export function judgeJwt(config: JwtAuthentication, token: Token | null, nowSec: number): JwtJudgement {
  const providers = Object.values(config.providers);
  const issuers = providers.map(({ issuer }) => issuer);
  const lets = letsIn(config);
  const reroutes = providers.some(({ clearRouteCache }) => clearRouteCache);
  const answer = (status: keyof typeof statusTexts, isIn: boolean, metadata = {}): JwtJudgement => ({
    ok: isIn,
    status: isIn ? 0 : status === "audienceNotAllowed" ? 403 : 401,
    why: status === "ok" ? "" : statusTexts[status],
    issuer: token?.issuer ?? "",
    issuers,
    metadata,
    reroutes,
  });
  if (token === null) return answer("missing", lets.missing);
  const provider =
    providers.find(({ issuer }) => issuer === token.issuer) ?? providers.find(({ issuer }) => issuer === "");
  if (provider === undefined) return answer("unknownIssuer", lets.failed);
  const tests = claimTests(provider);
  const judged = judgeClaims(tests, token, nowSec, tests.isForUs);
  if (judged !== "ok") return answer(judged, lets.failed);
  const { payloadInMetadata: key, normalizePayloadInMetadata: lists } = provider;
  const noted = key === "" ? {} : { [key]: normalizedClaims(token.claims, lists?.spaceDelimitedClaims) };
  return answer("ok", true, noted);
}

/** Whether who shows no token, or a bad one, is let in. Rules that differ by path are taken for the strictest of them. */
function letsIn({ rules, requirementMap }: JwtAuthentication): { missing: boolean; failed: boolean } {
  const asked = rules.flatMap(({ requirementType: { case: kind, value } }) =>
    kind === "requires"
      ? [value]
      : kind === "requirementName"
        ? [requirementMap[value]].filter((it) => it !== undefined)
        : [],
  );
  return {
    missing: asked.every((one) => allows(one, ["allowMissing", "allowMissingOrFailed"])),
    failed: asked.every((one) => allows(one, ["allowMissingOrFailed"])),
  };
}

function allows({ requiresType: { case: kind, value } }: JwtRequirement, kinds: readonly string[]): boolean {
  if (kind === "requiresAny") return value.requirements.some((one) => allows(one, kinds));
  if (kind === "requiresAll") return value.requirements.every((one) => allows(one, kinds));
  return kind === undefined || kinds.includes(kind);
}
