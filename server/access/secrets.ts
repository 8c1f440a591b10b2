import { createHash, randomBytes, timingSafeEqual } from "node:crypto";

/** 256 bits, good in URLs, headers and cookies. */
export const newSecret = (): string => randomBytes(32).toString("base64url");

/** What is kept of a secret of 256 bits: it can't be guessed, so that one round is enough. */
export const hashOf = (secret: string): string => createHash("sha256").update(secret).digest("base64url");

/** In a time that does not depend on where they differ. */
export function sameSecret(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash("sha256").update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}

const tokenPattern = /^limpid_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

/** An API token says by which id it is found; a scanner knows leaked ones by their first letters. */
export function newApiToken(): { id: string; token: string } {
  const id = randomBytes(6).toString("hex");
  return { id, token: `limpid_${id}_${newSecret()}` };
}

/** Undefined: no API token. */
export const idOfToken = (token: string): string | undefined => tokenPattern.exec(token)?.[1];
