import { z } from "zod";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { dnsLabelError, isDnsLabel, labelValueError, qualifiedKeyError, wildcardHostError } from "./names.ts";
import { regexError } from "./regex.ts";
import { rule, text } from "./schema.ts";

// Fields that several kinds share. A schema checks and never converts: what a user applied is what is stored and read back.

export const uint32 = () => z.int().min(0).max(4_294_967_295);
export const nonNegativeInt32 = () => z.int().min(0).max(2_147_483_647);
export const port = () => z.int().min(1).max(65_535);
/** 0 is the same as none, as Go writes it. */
export const portOrNone = () => z.int().min(0).max(65_535);

/** Go's writing of a duration, of at least 1 ms and without a part below a millisecond, as Istio wants it. */
export const duration = (options: { zero?: boolean } = {}) =>
  text((value) => {
    const ms = parseGoDuration(value);
    if (ms === undefined) return `must be a duration such as "500ms", "7s" or "1h2m3s", not ${JSON.stringify(value)}`;
    if (ms === 0 && options.zero) return undefined;
    if (ms < 1) return `must be at least 1ms, not ${value}`;
    return Number.isInteger(ms) ? undefined : "must be whole milliseconds";
  }, 'must be a duration as a string, such as "5s"');

/** `{value: 0..100}`; Istio takes 0 and then 0.0001 at least, the finest step of an Envoy fraction. */
export const percentage = () =>
  z.strictObject({
    value: z
      .number()
      .min(0)
      .max(100)
      .superRefine((value, context) => {
        if (value > 0 && value < 0.0001) context.addIssue({ code: "custom", message: "must be 0, or at least 0.0001" });
      })
      .optional(),
  });

export const wildcardHost = () => text(wildcardHostError);
export const dnsLabel = () => text(dnsLabelError);
/** An empty one is the same as none, as Go writes it. */
export const dnsLabelOrNone = () => text((name) => (name === "" ? undefined : dnsLabelError(name)));
export const labels = () => z.record(text(qualifiedKeyError), text(labelValueError));

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#StringMatch */
const stringMatchShape = () => ({
  exact: z.string().optional(),
  prefix: z.string().optional(),
  regex: z.string().optional(),
});

export interface StringMatch {
  exact?: string;
  prefix?: string;
  regex?: string;
}

/**
 * Exactly one of exact, prefix, regex. `presence` also takes none of them ("is there at all") and, as the wildcard that isn't a regex,
 * `regex: "*"`; `none` takes none of them for no condition; `emptyPrefix` takes a prefix of nothing, which every path has.
 */
export const stringMatch = (options: { presence?: boolean; emptyPrefix?: boolean; none?: boolean } = {}) =>
  rule(z.strictObject(stringMatchShape()), (match, report) => {
    const set = (["exact", "prefix", "regex"] as const).filter((key) => match[key] !== undefined);
    if (set.length > 1) report([], `must have only one of exact, prefix, regex; it has ${set.join(" and ")}`);
    if (set.length === 0 && !options.presence && !options.none) report([], "must have one of exact, prefix, regex");
    if (match.prefix === "" && !options.emptyPrefix) report(["prefix"], "must not be empty");
    if (match.regex !== undefined && !(options.presence && match.regex === "*")) {
      const error = regexError(match.regex);
      if (error !== undefined) report(["regex"], error);
    }
  });

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#VirtualService-export_to */
export const exportTo = (options: { none?: boolean } = {}) =>
  rule(
    z.array(
      text((value) =>
        value === "." || value === "*" || (options.none && value === "~") || isDnsLabel(value)
          ? undefined
          : `must be ".", "*"${options.none ? ', "~"' : ""} or a namespace, not ${JSON.stringify(value)}`,
      ),
    ),
    (values, report) => {
      reportDuplicates(
        values,
        (value) => value,
        (_value, index) => report([index], `is there twice`),
      );
      for (const alone of ["*", "~"]) {
        const index = values.indexOf(alone);
        if (index >= 0 && values.length > 1) report([index], `${JSON.stringify(alone)} must stand alone`);
      }
    },
  );

/** Calls back for every item whose key an earlier one has. */
export function reportDuplicates<T>(
  items: readonly T[],
  key: (item: T) => string | number | undefined,
  found: (item: T, index: number, first: number) => void,
): void {
  const seen = new Map<string | number, number>();
  items.forEach((item, index) => {
    const name = key(item);
    if (name === undefined) return;
    const first = seen.get(name);
    if (first === undefined) seen.set(name, index);
    else found(item, index, first);
  });
}

/** RFC 9110 §5.6.2 token. */
const headerToken = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;

/** A header's name, and no pseudo-header. */
export const tokenError = (name: string): string | undefined =>
  headerToken.test(name) ? undefined : `${JSON.stringify(name)} is not a valid header name`;

const pseudoHeaders = new Set([":method", ":scheme", ":authority", ":path", ":status"]);

const claimForms = 'must be "@request.auth.claims.<name>", "@request.auth.claims[<name>][<name>]", or a header';

/**
 * The path to a claim of a verified token, as a match by header says it; undefined: it is a header.
 * https://istio.io/latest/docs/tasks/security/authentication/jwt-route/
 */
export function routingClaim(name: string): string[] | undefined {
  const [, rest = ""] = /^@request\.auth\.claims(.+)$/is.exec(name) ?? [];
  if (/^\[[^[\]]+\](?:\[[^[\]]+\])*$/.test(rest)) return rest.slice(1, -1).split("][");
  const claims = rest.startsWith(".") ? rest.slice(1).split(".") : [];
  return claims.length > 0 && claims.every((claim) => claim !== "") ? claims : undefined;
}

/** A header in a match: a token or one of HTTP/2's pseudo-headers; or a claim. */
export function matchHeaderError(name: string): string | undefined {
  if (name.startsWith("@")) return routingClaim(name) ? undefined : claimForms;
  return pseudoHeaders.has(name) ? undefined : tokenError(name);
}

const isAuthority = (name: string) => /^(?::authority|host)$/i.test(name);

/** A header to be set: an authority may be set on requests only. */
export function changedHeaderError(name: string, direction: "request" | "response" | "remove"): string | undefined {
  if (direction === "request" && isAuthority(name)) return undefined;
  if (/^host$/i.test(name)) return "the Host header can't be changed here";
  if (name.startsWith(":")) return `pseudo-header ${name} can't be changed here`;
  return headerToken.test(name) ? undefined : `${JSON.stringify(name)} is not a valid header name`;
}

/** Where the authority would be set: Istio takes it in one place only. */
export const setsAuthority = (headers: Record<string, string> | undefined): boolean =>
  Object.keys(headers ?? {}).some(isAuthority);
