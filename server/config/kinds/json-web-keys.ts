import { createPublicKey, type JsonWebKey } from "node:crypto";

/** What one key of a set is good for: `secret` gives away what should have stayed with whoever signs. */
export interface KeyVerdict {
  index: number;
  error?: string;
  secret?: boolean;
}

const privateParts = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const asymmetric = new Set(["RSA", "EC", "OKP"]);

/** A text of RFC 7517 §5, a set of keys: what is wrong with it as a whole, or what each key is. */
export function readJsonWebKeys(text: string): { error: string } | { keys: KeyVerdict[] } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { error: 'must be a JSON Web Key Set such as {"keys": [{"kty": "RSA", …}]} (RFC 7517)' };
  }
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) return { error: 'must have a list "keys" (RFC 7517 §5)' };
  if (keys.length === 0) return { error: "has no key: no token could be verified" };
  return { keys: keys.map((key, index) => judge(key, index)) };
}

function judge(key: unknown, index: number): KeyVerdict {
  if (typeof key !== "object" || key === null) return { index, error: "must be an object" };
  const { kty } = key as { kty?: unknown };
  if (typeof kty !== "string") return { index, error: 'needs "kty", such as "RSA" or "EC"' };
  const secret = privateParts.some((part) => part in key);
  if (kty === "oct") return { index, secret: true };
  if (!asymmetric.has(kty)) return { index, error: `has kty ${JSON.stringify(kty)}; RSA, EC, OKP and oct are known` };
  try {
    createPublicKey({ key: key as JsonWebKey, format: "jwk" });
  } catch {
    return { index, error: `is no ${kty} key: a part of it is missing or damaged (RFC 7518 §6)` };
  }
  return secret ? { index, secret } : { index };
}
