import { createHmac, generateKeyPairSync, type JsonWebKey, type KeyObject, sign } from "node:crypto";

/** Somebody who issues tokens (RFC 7519), in all ways that are right and some that are wrong. */
export class Issuer {
  readonly #key: KeyObject;
  readonly #public: KeyObject;
  readonly kid: string;

  constructor(kid = "key-1") {
    const pair = generateKeyPairSync("rsa", { modulusLength: 2048 });
    this.kid = kid;
    this.#key = pair.privateKey;
    this.#public = pair.publicKey;
  }

  get jwk(): JsonWebKey {
    return { ...this.#public.export({ format: "jwk" }), kid: this.kid, alg: "RS256", use: "sig" };
  }

  get jwks(): string {
    return JSON.stringify({ keys: [this.jwk] });
  }

  token(claims: Record<string, unknown>, header: Record<string, unknown> = {}): string {
    return this.sign(JSON.stringify(claims), { alg: "RS256", kid: this.kid, typ: "JWT", ...header });
  }

  /** Of a payload as it stands, which need not be what a serializer would write. */
  sign(payload: string, header: Record<string, unknown>): string {
    const input = `${encode(JSON.stringify(header))}.${encode(payload)}`;
    return `${input}.${sign("sha256", Buffer.from(input), this.#key).toString("base64url")}`;
  }

  /** Signed with the public key as a shared secret: what a verifier that believes the header's algorithm falls for. */
  confused(claims: Record<string, unknown>): string {
    const input = `${encode(JSON.stringify({ alg: "HS256", kid: this.kid }))}.${encode(JSON.stringify(claims))}`;
    const secret = this.#public.export({ type: "spki", format: "pem" });
    return `${input}.${createHmac("sha256", secret).update(input).digest("base64url")}`;
  }
}

/** With no signature at all. */
export const unsigned = (claims: Record<string, unknown>): string =>
  `${encode(JSON.stringify({ alg: "none" }))}.${encode(JSON.stringify(claims))}.`;

const encode = (text: string): string => Buffer.from(text).toString("base64url");
