import { createPublicKey, type KeyObject, X509Certificate } from "node:crypto";
import { flattenedVerify } from "jose";
import { Recent } from "../../../lib/recent.ts";
import type { JwtStatus } from "./status.ts";
import type { Token } from "./token.ts";

type KeyType = "RSA" | "EC" | "oct" | "OKP";

interface Key {
  readonly type: KeyType;
  /** "": any. */
  readonly kid: string;
  readonly alg: string;
  readonly material: KeyObject | Uint8Array;
}

/** Which algorithms a kind of key is for. A token cannot choose another: an RSA key's text is no secret to sign with (RFC 8725, 2.1). */
const algorithmsOf: Record<KeyType, RegExp> = { RSA: /^[RP]S/, EC: /^ES/, oct: /^HS/, OKP: /^EdDSA$/ };

/** Of tokens found good: how many are remembered, and up to which length. */
export interface TokenCache {
  readonly size: number;
  readonly maxLength: number;
}

/** The keys of an issuer (RFC 7517, 5). */
export class KeySet {
  private readonly keys: readonly Key[];
  /** Tokens whose signature holds: the verdict is the same as long as the keys are. */
  private readonly proven: Recent<true>;
  private readonly cache: TokenCache;

  constructor(keys: readonly Key[], cache: TokenCache) {
    this.keys = keys;
    this.cache = cache;
    this.proven = new Recent(cache.size);
  }

  /** Whether its signature has been found good before. */
  hasProven(token: Token): boolean {
    return this.proven.get(textOf(token)) === true;
  }

  /** Whether one of the keys has signed it: `ok`, or why not. */
  async verify(token: Token): Promise<JwtStatus> {
    const candidates = this.keys.filter(
      ({ kid, alg }) => (token.kid === "" || kid === "" || kid === token.kid) && (alg === "" || alg === token.alg),
    );
    if (candidates.length === 0) return "noKeyMatches";
    for (const key of candidates) {
      if (!algorithmsOf[key.type].test(token.alg)) continue;
      if (key.type === "OKP" && Buffer.from(token.signature, "base64url").length !== 64) return "ed25519BadLength";
      if (await isSigned(token, key)) {
        const text = textOf(token);
        if (text.length <= this.cache.maxLength) this.proven.set(text, true);
        return "ok";
      }
    }
    return "verificationFails";
  }
}

const textOf = ({ header, payload, signature }: Token): string => `${header}.${payload}.${signature}`;

async function isSigned({ header, payload, signature, alg }: Token, { material }: Key): Promise<boolean> {
  try {
    await flattenedVerify({ protected: header, payload, signature }, material, { algorithms: [alg] });
    return true;
  } catch {
    return false;
  }
}

/** Reads a JWKS, or an object of certificates by key id; what of it can be used, or why nothing can. */
export function parseKeySet(text: string, cache: TokenCache): KeySet | JwtStatus {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return "keysBadJson";
  }
  if (!isObject(value)) return "keysBadJson";
  const keys = value.keys === undefined ? certificates(value) : value.keys;
  if (keys === undefined) return "noKeys";
  if (!Array.isArray(keys)) return "keysNotArray";
  const usable = keys.map(usableKey).filter((key) => key !== undefined);
  return usable.length === 0 ? "noValidKey" : new KeySet(usable, cache);
}

/** A JWK (RFC 7517, 4) that can verify; undefined: another. */
function usableKey(jwk: unknown): Key | undefined {
  if (!isObject(jwk)) return undefined;
  const { kty, kid, alg, k, certificate } = jwk;
  const named = { kid: typeof kid === "string" ? kid : "", alg: typeof alg === "string" ? alg : "" };
  try {
    if (typeof certificate === "object")
      return { type: "RSA", ...named, material: rsaKey(certificate as X509Certificate) };
    if (!isKeyType(kty) || (named.alg !== "" && !algorithmsOf[kty].test(named.alg))) return undefined;
    if (kty !== "oct")
      return { type: kty, ...named, material: createPublicKey({ key: publicPart(jwk), format: "jwk" }) };
    const secret = typeof k === "string" ? Buffer.from(k, "base64url") : Buffer.alloc(0);
    return secret.length === 0 ? undefined : { type: kty, ...named, material: new Uint8Array(secret) };
  } catch {
    return undefined;
  }
}

/** Its curve may be left to the algorithm, or to the default (Envoy). */
function publicPart({ kty, crv, alg, n, e, x, y }: Record<string, unknown>): Record<string, unknown> {
  if (kty === "RSA") return { kty, n, e };
  if (kty === "OKP") {
    if (crv !== "Ed25519") throw new Error("only Ed25519 signs");
    return { kty, crv, x };
  }
  return { kty, crv: crv ?? { ES384: "P-384", ES512: "P-521" }[String(alg)] ?? "P-256", x, y };
}

/** The form `{"<kid>": "<PEM certificate>"}` that some issuers publish. */
function certificates(value: Record<string, unknown>): Record<string, unknown>[] | undefined {
  const entries = Object.entries(value);
  const isPem = ([, text]: [string, unknown]) =>
    typeof text === "string" && text.startsWith("-----BEGIN CERTIFICATE-----");
  if (entries.length === 0 || !entries.every(isPem)) return undefined;
  try {
    return entries.map(([kid, pem]) => ({ kid, certificate: new X509Certificate(String(pem)) }));
  } catch {
    return [];
  }
}

function rsaKey({ publicKey }: X509Certificate): KeyObject {
  if (publicKey.asymmetricKeyType !== "rsa") throw new Error("no RSA key");
  return publicKey;
}

const isKeyType = (kty: unknown): kty is KeyType => typeof kty === "string" && Object.hasOwn(algorithmsOf, kty);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
