import { z } from "zod";
import { type Told, told } from "../../contract/told.ts";
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
  text(
    (value) => {
      const ms = parseGoDuration(value);
      if (ms === undefined) return told("duration-form", { value: JSON.stringify(value) });
      if (ms === 0 && options.zero) return undefined;
      if (ms < 1) return told("at-least", { minimum: "1ms", value });
      return Number.isInteger(ms) ? undefined : told("duration-whole", {});
    },
    told("duration-text", {}),
  );

/** `{value: 0..100}`; Istio takes 0 and then 0.0001 at least, the finest step of an Envoy fraction. */
export const percentage = () =>
  z.strictObject({
    value: rule(z.number().min(0).max(100), (value, report) => {
      if (value > 0 && value < 0.0001) report([], told("percentage-min", {}));
    }).optional(),
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
    if (set.length > 1) report([], told("only-one-has", { fields: "exact, prefix, regex", given: set.join(", ") }));
    if (set.length === 0 && !options.presence && !options.none)
      report([], told("needs-one-of", { fields: "exact, prefix, regex" }));
    if (match.prefix === "" && !options.emptyPrefix) report(["prefix"], told("not-empty", {}));
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
          : told("namespace-or", { forms: options.none ? '".", "*", "~"' : '".", "*"', value: JSON.stringify(value) }),
      ),
    ),
    (values, report) => {
      reportDuplicates(
        values,
        (value) => value,
        (_value, index) => report([index], told("twice", {})),
      );
      for (const alone of ["*", "~"]) {
        const index = values.indexOf(alone);
        if (index >= 0 && values.length > 1) report([index], told("stands-alone", { value: JSON.stringify(alone) }));
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
export const tokenError = (name: string): Told | undefined =>
  headerToken.test(name) ? undefined : told("header-name", { name: JSON.stringify(name) });

const pseudoHeaders = new Set([":method", ":scheme", ":authority", ":path", ":status"]);

const claimForms = '"@request.auth.claims.<name>", "@request.auth.claims[<name>][<name>]"';

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
export function matchHeaderError(name: string): Told | undefined {
  if (name.startsWith("@")) return routingClaim(name) ? undefined : told("claim-or-header", { forms: claimForms });
  return pseudoHeaders.has(name) ? undefined : tokenError(name);
}

const isAuthority = (name: string) => /^(?::authority|host)$/i.test(name);

/** A header to be set: an authority may be set on requests only. */
export function changedHeaderError(name: string, direction: "request" | "response" | "remove"): Told | undefined {
  if (direction === "request" && isAuthority(name)) return undefined;
  if (/^host$/i.test(name)) return told("host-header", {});
  if (name.startsWith(":")) return told("pseudo-header", { name });
  return headerToken.test(name) ? undefined : told("header-name", { name: JSON.stringify(name) });
}

/** Where the authority would be set: Istio takes it in one place only. */
export const setsAuthority = (headers: Record<string, string> | undefined): boolean =>
  Object.keys(headers ?? {}).some(isAuthority);
