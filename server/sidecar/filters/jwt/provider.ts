import type {
  JwtClaimToHeader,
  JwtProvider,
} from "../../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { isHeaderValue } from "../../../lib/http-chars.ts";
import { at, together } from "../../config/problems.ts";
import { toWire } from "../../http/headers.ts";
import type { FilterIo, RequestContext } from "../../request/filter.ts";
import { readSource } from "../../tls/read-source.ts";
import { type ClaimTests, claimIn, claimTests, normalizedClaims } from "./claim-tests.ts";
import { type KeySet, parseKeySet } from "./key-set.ts";
import type { Found } from "./locations.ts";
import { type FetchCounts, remoteKeys } from "./remote-keys.ts";
import { type JwtStatus, statusTexts } from "./status.ts";
import type { Claims, Token } from "./token.ts";

/** Who issues tokens, how they are proven, and what is made of them. */
export interface Provider extends ClaimTests {
  /** Undefined: they cannot be fetched now. */
  keys(): KeySet | JwtStatus | Promise<KeySet | JwtStatus>;
}

/** Throws an Error naming the fields. */
export function compileProvider(config: JwtProvider, io: FilterIo, counts: FetchCounts): Provider {
  const { keys, tests } = together<{ keys: Provider["keys"]; tests: ClaimTests }>({
    keys: () => compileKeys(config, io, counts),
    tests: () => claimTests(config),
  });
  return { ...tests, keys };
}

function compileKeys(config: JwtProvider, io: FilterIo, counts: FetchCounts): Provider["keys"] {
  const { jwksSourceSpecifier: source, jwtCacheConfig } = config;
  const cache = { size: jwtCacheConfig?.jwtCacheSize || 100, maxLength: jwtCacheConfig?.jwtMaxTokenSize || 4096 };
  switch (source.case) {
    case "localJwks": {
      const keys = parseKeySet(readSource(source.value, "local_jwks"), cache);
      if (typeof keys === "string") throw new Error(`local_jwks: ${statusTexts[keys]}`);
      return () => keys;
    }
    case "remoteJwks": {
      const remote = at("remote_jwks", () => remoteKeys(source.value, cache, io));
      remote.start(counts, io.firsts);
      return async () => (await remote.get(counts)) ?? "fetchFails";
    }
    default:
      throw new Error("jwks_source_specifier: remote_jwks or local_jwks is required");
  }
}

/** What is noted of a request's tokens, and whether its route is to be chosen again. */
export interface Notes {
  readonly metadata: Record<string, unknown>;
  reroute: boolean;
}

/** Hands a good token on, as far as its provider says. */
export function handOn({ config }: Provider, token: Token, found: Found, request: RequestContext, notes: Notes): void {
  const { forwardPayloadHeader: field, headerInMetadata, payloadInMetadata } = config;
  if (field !== "") {
    const padding = config.padForwardPayloadHeader ? "=".repeat((4 - (token.payload.length % 4)) % 4) : "";
    request.headers.push(field.toLowerCase(), token.payload + padding);
  }
  let added = false;
  for (const claim of config.claimToHeaders) added = addClaim(claim, token.claims, request) || added;
  if (!config.forward) found.remove();
  if (headerInMetadata !== "") notes.metadata[headerInMetadata] = token.headerClaims;
  if (payloadInMetadata !== "") {
    notes.metadata[payloadInMetadata] = normalizedClaims(
      token.claims,
      config.normalizePayloadInMetadata?.spaceDelimitedClaims,
    );
  }
  if (config.clearRouteCache && (added || payloadInMetadata !== "")) notes.reroute = true;
}

/** @returns whether there is such a claim */
function addClaim({ headerName, claimName }: JwtClaimToHeader, claims: Claims, { headers }: RequestContext): boolean {
  const text = toWire(claimText(claimName.split(".").reduce<unknown>(claimIn, claims)));
  // A claim is the issuer's word, and must not end the field.
  if (text === "" || !isHeaderValue(text)) return false;
  headers.push(headerName.toLowerCase(), text);
  return true;
}

/** Texts as they are, numbers as Envoy writes them, lists and objects as JSON in Base64; "" for what has no text. */
function claimText(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "boolean":
      return String(value);
    case "number":
      return Number.isInteger(value) && value >= 0 && value < 2 ** 64 ? BigInt(value).toString() : value.toFixed(6);
    default:
      return value === undefined || value === null ? "" : Buffer.from(JSON.stringify(value)).toString("base64");
  }
}
