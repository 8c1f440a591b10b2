// An issuer of tokens for tests: a key of every kind, and what signs with them, also what nobody should sign.
import { createHmac, type KeyObject } from "node:crypto";
import { CompactSign, exportJWK, generateKeyPair, type JWK } from "jose";

const kinds = { rsa: "RS256", pss: "PS384", ec: "ES256", ec384: "ES384", ed: "EdDSA" } as const;
type Kind = keyof typeof kinds;

export interface Issuer {
  /** The public keys, and the secret of `hs`. */
  readonly keys: Record<Kind | "hs", JWK>;
  /** A JWKS of the keys named; of all without any. */
  jwks(...names: (Kind | "hs")[]): string;
  /** Signed by one of the keys; `header` adds to what it says, or takes away by undefined. */
  sign(claims: object | string, options?: { by?: Kind; header?: Record<string, unknown> }): Promise<string>;
}

export async function makeIssuer(): Promise<Issuer> {
  const made = await Promise.all(
    Object.entries(kinds).map(async ([kind, alg]) => {
      const pair = await generateKeyPair(alg, { extractable: true });
      return [kind, pair.privateKey, { ...(await exportJWK(pair.publicKey)), kid: kind, alg }] as const;
    }),
  );
  const secrets = Object.fromEntries(made.map(([kind, key]) => [kind, key])) as unknown as Record<Kind, KeyObject>;
  const keys = {
    ...Object.fromEntries(made.map(([kind, , jwk]) => [kind, jwk])),
    hs: { kty: "oct", kid: "hs", k: Buffer.from("a secret of thirty-two bytes ....").toString("base64url") },
  } as Issuer["keys"];
  return {
    keys,
    jwks: (...names) =>
      JSON.stringify({ keys: names.length === 0 ? Object.values(keys) : names.map((name) => keys[name]) }),
    sign(claims, { by = "rsa", header = {} } = {}) {
      const text = typeof claims === "string" ? claims : JSON.stringify(claims);
      return new CompactSign(Buffer.from(text))
        .setProtectedHeader({ alg: kinds[by], kid: by, ...header })
        .sign(secrets[by]);
    },
  };
}

/** A token put together by hand: whatever its header says, signed with a secret, or not at all. */
export function forge(header: object | string, claims: object | string, secret: string | undefined): string {
  const encode = (part: object | string) =>
    Buffer.from(typeof part === "string" ? part : JSON.stringify(part)).toString("base64url");
  const signed = `${encode(header)}.${encode(claims)}`;
  const signature = secret === undefined ? "" : createHmac("sha256", secret).update(signed).digest("base64url");
  return `${signed}.${signature}`;
}
