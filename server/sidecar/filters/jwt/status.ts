/** Why a token is not taken, and what the client is told of it, as Envoy says it. The keys' order is that of Envoy's codes, of which `ok` is 0. */
export const statusTexts = {
  ok: "OK",
  missing: "Jwt is missing",
  notYetValid: "Jwt not yet valid",
  expired: "Jwt is expired",
  badFormat: "Jwt is not in the form of Header.Payload.Signature with two dots and 3 sections",
  headerBadBase64: "Jwt header is an invalid Base64url encoded",
  headerBadJson: "Jwt header is an invalid JSON",
  headerBadAlg: "Jwt header [alg] field is required and must be a string",
  headerUnknownAlg: "Jwt header [alg] is not supported",
  headerBadKid: "Jwt header [kid] field is not a string",
  payloadBadBase64: "Jwt payload is an invalid Base64url encoded",
  payloadBadJson: "Jwt payload is an invalid JSON",
  issNotString: "Jwt payload [iss] field is not a string",
  subNotString: "Jwt payload [sub] field is not a string",
  iatNotInteger: "Jwt payload [iat] field is not an integer",
  iatOutOfRange: "Jwt payload [iat] field is not a positive 64 bit integer",
  nbfNotInteger: "Jwt payload [nbf] field is not an integer",
  nbfOutOfRange: "Jwt payload [nbf] field is not a positive 64 bit integer",
  expNotInteger: "Jwt payload [exp] field is not an integer",
  expOutOfRange: "Jwt payload [exp] field is not a positive 64 bit integer",
  jtiNotString: "Jwt payload [jti] field is not a string",
  audNotString: "Jwt payload [aud] field is not a string or string list",
  signatureBadBase64: "Jwt signature is an invalid Base64url encoded",
  ed25519BadLength: "Jwt ED25519 signature is wrong length",
  unknownIssuer: "Jwt issuer is not configured",
  audienceNotAllowed: "Audiences in Jwt are not allowed",
  verificationFails: "Jwt verification fails",
  multipleTokens: "Found multiple Jwt tokens",
  keysBadJson: "Jwks is an invalid JSON",
  noKeys: "Jwks does not have [keys] field",
  keysNotArray: "[keys] in Jwks is not an array",
  noValidKey: "Jwks doesn't have any valid public key",
  noKeyMatches: "Jwks doesn't have key to match kid or alg from Jwt",
  fetchFails: "Jwks remote fetch is failed",
} as const;

export type JwtStatus = keyof typeof statusTexts;

/** Envoy's number of a status. https://github.com/envoyproxy/envoy/blob/main/source/common/jwt/status.h */
export function statusCode(status: JwtStatus): number {
  // Between the last two Envoy has seven more, which are of single keys.
  return status === "fetchFails" ? 40 : Object.keys(statusTexts).indexOf(status);
}
