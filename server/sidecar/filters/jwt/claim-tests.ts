import type { JwtProvider } from "../../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { at } from "../../config/problems.ts";
import { durationMs } from "../../duration.ts";
import { compileString, type TextTest } from "../../text/string-matcher.ts";
import { audienceTest } from "./audiences.ts";
import type { JwtStatus } from "./status.ts";
import type { Claims, Token } from "./token.ts";

/** What is asked of a token beside its signature. */
export interface ClaimTests {
  readonly config: JwtProvider;
  readonly isForUs: (audiences: readonly string[]) => boolean;
  readonly subjectTest: TextTest | undefined;
  /** Seconds; undefined: an end isn't asked for. */
  readonly maxLifetime: number | undefined;
}

/** Throws an Error naming the fields. */
export function claimTests(config: JwtProvider): ClaimTests {
  const { subjects, maxLifetime, requireExpiration } = config;
  const lifetimeMs = durationMs(maxLifetime);
  return {
    config,
    subjectTest: subjects && at("subjects", () => compileString(subjects)),
    isForUs: audienceTest(config.audiences),
    maxLifetime:
      lifetimeMs === undefined ? (requireExpiration ? Number.POSITIVE_INFINITY : undefined) : lifetimeMs / 1000,
  };
}

/** What a token claims that can be told without its signature. @param nowSec Unix */
export function judgeClaims(
  provider: ClaimTests,
  token: Token,
  nowSec: number,
  isForUs: ClaimTests["isForUs"],
): JwtStatus {
  const skew = provider.config.clockSkewSeconds || 60;
  if (nowSec + skew < token.notBefore) return "notYetValid";
  if (token.expires !== 0 && nowSec > token.expires + skew) return "expired";
  if (!isForUs(token.audiences)) return "audienceNotAllowed";
  if (provider.subjectTest?.(token.subject) === false) return "verificationFails";
  const { maxLifetime } = provider;
  if (maxLifetime !== undefined && (token.expires === 0 || token.expires - nowSec >= maxLifetime)) {
    return "verificationFails";
  }
  return "ok";
}

export const claimIn = (value: unknown, name: string): unknown =>
  typeof value === "object" && value !== null && !Array.isArray(value) && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;

/** A claim such as `scope` as the list that it is. RFC 8693, 4.2 */
export function normalizedClaims(claims: Claims, spaceDelimited: readonly string[] = []): Claims {
  const lists = spaceDelimited.flatMap((name) => {
    const text = claimIn(claims, name);
    return typeof text === "string" && text !== "" ? [[name, text.split(" ").filter((word) => word !== "")]] : [];
  });
  return { ...claims, ...Object.fromEntries(lists) };
}
