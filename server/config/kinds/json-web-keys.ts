import { createPublicKey, type JsonWebKey } from "node:crypto";
import { type Told, told } from "../../contract/told.ts";

/** What one key of a set is good for: `secret` gives away what should have stayed with whoever signs. */
export interface KeyVerdict {
  index: number;
  error?: Told;
  secret?: boolean;
}

const privateParts = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
const asymmetric = new Set(["RSA", "EC", "OKP"]);

/** A text of RFC 7517 §5, a set of keys: what is wrong with it as a whole, or what each key is. */
export function readJsonWebKeys(text: string): { error: Told } | { keys: KeyVerdict[] } {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    return { error: told("jwks-form", { example: '{"keys": [{"kty": "RSA", …}]}' }) };
  }
  const keys = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(keys)) return { error: told("jwks-list", {}) };
  if (keys.length === 0) return { error: told("jwks-empty", {}) };
  return { keys: keys.map((key, index) => judge(key, index)) };
}

function judge(key: unknown, index: number): KeyVerdict {
  if (typeof key !== "object" || key === null) return { index, error: told("jwk-object", { index }) };
  const { kty } = key as { kty?: unknown };
  if (typeof kty !== "string") return { index, error: told("jwk-kty", { index }) };
  const secret = privateParts.some((part) => part in key);
  if (kty === "oct") return { index, secret: true };
  if (!asymmetric.has(kty)) return { index, error: told("jwk-kty-unknown", { index, kty: JSON.stringify(kty) }) };
  try {
    createPublicKey({ key: key as JsonWebKey, format: "jwk" });
  } catch {
    return { index, error: told("jwk-damaged", { index, kty }) };
  }
  return secret ? { index, secret } : { index };
}
