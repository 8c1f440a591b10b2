import type { CidrRange } from "../../gen/proto/envoy/config/core/v3/address_pb.js";
import type { HeaderMatcher } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import type { MetadataMatcher } from "../../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import type { StringMatcher } from "../../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { ValueMatcher } from "../../gen/proto/envoy/type/matcher/v3/value_pb.js";
import { type RequestView, viewHeader } from "../match/request-view.ts";
import type { Metadata } from "../record.ts";
import { addressBits, rangeBits } from "./address-bits.ts";
import type { RbacSubject } from "./subject.ts";

/** A subject that has a request. */
export interface RequestSubject {
  readonly request: RequestView;
  readonly subject: RbacSubject;
}

/** Something of a request that rules go by, such as its path or a header; `read` may find several values. */
export interface Fact {
  /** The same for the same fact. */
  readonly id: string;
  read(asked: RequestSubject): string | readonly string[] | undefined;
}

/** One of these has to be a fact's value, what it begins with, or what it ends with. */
interface Values {
  readonly exact?: readonly string[];
  readonly prefixes?: readonly string[];
  readonly suffixes?: readonly string[];
}

/** What one of a fact's values must be: necessary for a rule, not always enough. */
export interface Need extends Values {
  readonly fact: Fact;
}

/** By the fact. */
export type Needs = ReadonlyMap<string, Need>;

export const noNeeds: Needs = new Map();

/** What holds whichever of them does. */
export function eitherNeeds(all: readonly Needs[]): Needs {
  const [first, ...rest] = all;
  if (first === undefined) return noNeeds;
  return new Map(
    [...first].flatMap(([id, need]) => {
      const others = rest.flatMap((needs) => needs.get(id) ?? []);
      return others.length < rest.length ? [] : [[id, { fact: need.fact, ...anyOf([need, ...others]) }] as const];
    }),
  );
}

const anyOf = (all: readonly Values[]): Values => ({
  exact: all.flatMap(({ exact = [] }) => exact),
  prefixes: all.flatMap(({ prefixes = [] }) => prefixes),
  suffixes: all.flatMap(({ suffixes = [] }) => suffixes),
});

/** @param read the same for all texts of the id */
export function textNeed(id: string, read: (view: RequestView) => string, matcher: StringMatcher): Need | undefined {
  const values = valuesOf(matcher);
  if (values === undefined) return undefined;
  const fact: Fact = matcher.ignoreCase
    ? { id: `${id} folded`, read: ({ request }) => read(request).toLowerCase() }
    : { id, read: ({ request }) => read(request) };
  return { fact, ...values };
}

/** Of what a text must be; a folded one in lower case. Undefined: another kind of matcher. */
function valuesOf({ matchPattern, ignoreCase }: StringMatcher): Values | undefined {
  const { value } = matchPattern;
  if (typeof value !== "string") return undefined;
  const folded = ignoreCase ? value.toLowerCase() : value;
  switch (matchPattern.case) {
    case "exact":
      return { exact: [folded] };
    case "prefix":
      return { prefixes: [folded] };
    case "suffix":
      return { suffixes: [folded] };
    default:
      return undefined;
  }
}

/** Of where a request came from first. */
export function remoteNeed(range: CidrRange): Need | undefined {
  const bits = rangeBits(range);
  return bits === undefined ? undefined : { fact: remoteFact, prefixes: [bits] };
}

const remoteFact: Fact = { id: "remote address", read: ({ subject }) => addressBits(subject.remoteAddress) };

/** Of a header that must be there, and be something. */
export function headerNeed(matcher: HeaderMatcher): Need | undefined {
  const { headerMatchSpecifier: specifier, invertMatch, treatMissingHeaderAsEmpty } = matcher;
  if (specifier.case !== "stringMatch" || invertMatch || treatMissingHeaderAsEmpty) return undefined;
  const name = matcher.name.toLowerCase();
  if (name === "host" || name.startsWith(":")) {
    return textNeed(`header ${name}`, (view) => viewHeader(view, name) ?? "", specifier.value);
  }
  const values = valuesOf(specifier.value);
  if (values === undefined || specifier.value.ignoreCase) return undefined;
  return { fact: { id: `header ${name}`, read: ({ request }) => eachOf(request.headers, name) }, ...values };
}

/** Each of repeated headers by itself, as matchers judge them. */
function eachOf(headers: readonly string[], name: string): string | readonly string[] | undefined {
  let values: string | string[] | undefined;
  for (let i = 0; i < headers.length; i += 2) {
    const value = headers[i + 1];
    if (headers[i] !== name || value === undefined) continue;
    if (values === undefined) values = value;
    else values = typeof values === "string" ? [values, value] : [...values, value];
  }
  return values;
}

/** Of a text in metadata, or of one of a list of them, as tokens have them. @param source that it is in, for the fact's id */
export function metadataNeed(
  { filter, path, value, invert }: MetadataMatcher,
  source: string,
  of: (view: RequestView) => Metadata | undefined,
): Need | undefined {
  const values = invert ? undefined : valueNeed(value);
  if (values === undefined) return undefined;
  const keys = path.map(({ segment }) => (segment.case === "key" ? segment.value : ""));
  const read = ({ request }: RequestSubject) => texts(keys.reduce<unknown>(inside, of(request)?.[filter]));
  return { fact: { id: JSON.stringify([source, filter, ...keys]), read }, ...values };
}

function valueNeed(matcher: ValueMatcher | undefined): Values | undefined {
  const pattern = matcher?.matchPattern;
  switch (pattern?.case) {
    case "stringMatch":
      return pattern.value.ignoreCase ? undefined : valuesOf(pattern.value);
    case "listMatch": {
      const { matchPattern } = pattern.value;
      // A list in a list is none of the texts.
      const isText = matchPattern.case === "oneOf" && matchPattern.value.matchPattern.case === "stringMatch";
      return isText ? valueNeed(matchPattern.value) : undefined;
    }
    case "orMatch": {
      const any = pattern.value.valueMatchers.map(valueNeed);
      const known = any.filter((values) => values !== undefined);
      return known.length < any.length ? undefined : anyOf(known);
    }
    default:
      return undefined;
  }
}

function texts(value: unknown): string | readonly string[] | undefined {
  if (typeof value === "string") return value;
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : undefined;
}

function inside(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  return Object.hasOwn(value, key) ? Reflect.get(value, key) : undefined;
}
