import { DashboardError, told } from "../contract/index.ts";
import { parseClaims } from "../sidecar/filters/jwt/claims-json.ts";
import { statusTexts } from "../sidecar/filters/jwt/status.ts";
import { parseToken, type Token } from "../sidecar/filters/jwt/token.ts";

/**
 * The token that a request is thought to carry: a JWT, or the claims of one as JSON. Its signature is not looked at: what is asked is what follows if it is good. Undefined: none is
 * named. Throws INVALID.
 */
export function parseExplainToken(text: string): Token | undefined {
  const trimmed = text.trim().replace(/^Bearer\s+/i, "");
  if (trimmed === "") return undefined;
  const token = trimmed.startsWith("{") ? tokenOf(trimmed) : parseToken(trimmed);
  if (typeof token !== "string") return token;
  const said = told("token-form", { why: statusTexts[token] });
  throw new DashboardError({
    code: "INVALID",
    ...said,
    message: `token: ${said.message}`,
    errors: [{ path: "token", ...said }],
  });
}

/** A token with these claims, and a signature that proves nothing. */
function tokenOf(claims: string): ReturnType<typeof parseToken> {
  if (parseClaims(claims) === undefined) return "payloadBadJson";
  const part = (json: string) => Buffer.from(json).toString("base64url");
  return parseToken(`${part('{"alg":"RS256"}')}.${part(claims)}.${part("-")}`);
}
