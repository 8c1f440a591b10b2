import type { Check } from "../contract/index.ts";
import type { HeaderMatcher, QueryParameterMatcher } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { MetadataMatcher } from "../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import type { StringMatcher } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { ValueMatcher } from "../gen/proto/envoy/type/matcher/v3/value_pb.js";
import { compileHeader } from "../sidecar/match/header-matcher.ts";
import { compileMetadata } from "../sidecar/match/metadata-matcher.ts";
import { compileQuery, queryParameter } from "../sidecar/match/query-matcher.ts";
import { type RequestView, viewHeader } from "../sidecar/match/request-view.ts";
import { compileString } from "../sidecar/text/string-matcher.ts";

/** A condition, `ok` still to be told; what is left out is nothing. */
export function check(subject: Check["subject"], rest: Partial<Check>): Check {
  const nothing = {
    name: "",
    operator: "exact" as const,
    value: "",
    not: false,
    ignoreCase: false,
    has: null,
    ok: null,
    of: [],
  };
  return { subject, ...nothing, ...rest };
}

/** A part of Envoy's config that is not judged here, by its field's name. */
export const unjudged = (field: string): Check => check("other", { name: field, operator: "unknown" });

/** Null where the proxy's own compiler does not know the condition, whatever its reason. */
export function judged(compileAndTest: () => boolean): boolean | null {
  try {
    return compileAndTest();
  } catch {
    return null;
  }
}

/** What a filter before it noted of the request, such as a claim of its token; open where nobody knows what it did. */
export function metadataCheck(matcher: MetadataMatcher, noted: RequestView["dynamicMetadata"]): Check {
  const keys = matcher.path.map(({ segment }) => segment.value ?? "");
  if (noted === undefined) return unjudged(["metadata", matcher.filter, keys.join(".")].filter(Boolean).join(" "));
  const value = keys.reduce<unknown>(
    (at, key) => (typeof at === "object" && at !== null ? (at as Record<string, unknown>)[key] : undefined),
    noted[matcher.filter],
  );
  return check("claim", {
    // The first says under which name the filter keeps the token.
    name: keys.slice(1).join("."),
    ...valueWords(matcher.value),
    not: matcher.invert,
    has: value === undefined ? null : typeof value === "string" ? value : JSON.stringify(value),
    ok: judged(() => compileMetadata(matcher)(noted)),
  });
}

function valueWords(matcher: ValueMatcher | undefined): Words {
  const pattern = matcher?.matchPattern;
  switch (pattern?.case) {
    case "stringMatch":
      return stringWords(pattern.value);
    case "listMatch":
      return valueWords(pattern.value.matchPattern.value);
    case "orMatch":
      return valueWords(pattern.value.valueMatchers[0]);
    case "presentMatch":
      return { operator: pattern.value ? "present" : "absent", value: "", ignoreCase: false };
    case "boolMatch":
      return { operator: "exact", value: String(pattern.value), ignoreCase: false };
    default:
      return { operator: "unknown", value: pattern?.case ?? "", ignoreCase: false };
  }
}

export const allOk = (checks: readonly Pick<Check, "ok">[]): boolean | null =>
  checks.some(({ ok }) => ok === false) ? false : checks.some(({ ok }) => ok === null) ? null : true;

export const anyOk = (checks: readonly Pick<Check, "ok">[]): boolean | null =>
  checks.some(({ ok }) => ok === true) ? true : checks.some(({ ok }) => ok === null) ? null : false;

type Words = Pick<Check, "operator" | "value" | "ignoreCase">;

/** How a StringMatcher reads. */
export function stringWords({ matchPattern: { case: kind, value }, ignoreCase }: StringMatcher): Words {
  switch (kind) {
    case "safeRegex":
      return { operator: "regex", value: value.regex, ignoreCase: false };
    case "exact":
    case "prefix":
    case "suffix":
    case "contains":
      return { operator: kind, value, ignoreCase };
    default:
      return { operator: "unknown", value: kind ?? "", ignoreCase };
  }
}

/** A text by a StringMatcher; an absent one is judged as empty. */
export const stringCheck = (subject: Check["subject"], matcher: StringMatcher, has: string | null): Check =>
  check(subject, { ...stringWords(matcher), has, ok: judged(() => compileString(matcher)(has ?? "")) });

export function headerCheck(matcher: HeaderMatcher, view: RequestView): Check {
  const name = matcher.name.toLowerCase();
  return check(headerSubjects[name] ?? "header", {
    name,
    ...headerWords(matcher),
    not: matcher.invertMatch,
    has: viewHeader(view, name) ?? null,
    ok: judged(() => compileHeader(matcher)(view)),
  });
}

const headerSubjects: Record<string, Check["subject"] | undefined> = {
  ":method": "method",
  ":path": "path",
  ":authority": "authority",
  host: "authority",
  ":scheme": "scheme",
};

function headerWords({ headerMatchSpecifier: { case: kind, value } }: HeaderMatcher): Words {
  const words = (operator: Words["operator"], text: string): Words => ({ operator, value: text, ignoreCase: false });
  switch (kind) {
    case "stringMatch":
      return stringWords(value);
    case "safeRegexMatch":
      return words("regex", value.regex);
    case "exactMatch":
      return words("exact", value);
    case "prefixMatch":
      return words("prefix", value);
    case "suffixMatch":
      return words("suffix", value);
    case "containsMatch":
      return words("contains", value);
    case "rangeMatch":
      return words("range", `${value.start} … ${value.end - 1n}`);
    default:
      return words(kind === "presentMatch" && !value ? "absent" : "present", "");
  }
}

export function queryCheck(matcher: QueryParameterMatcher, view: RequestView): Check {
  const { case: kind, value } = matcher.queryParameterMatchSpecifier;
  const words: Words =
    kind === "stringMatch"
      ? stringWords(value)
      : { operator: kind === "presentMatch" && !value ? "absent" : "present", value: "", ignoreCase: false };
  return check("query", {
    name: matcher.name,
    ...words,
    has: queryParameter(view, matcher.name) ?? null,
    ok: judged(() => compileQuery(matcher)(view)),
  });
}
