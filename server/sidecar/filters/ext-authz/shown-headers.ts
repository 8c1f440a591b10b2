import type { StringMatcher } from "../../../gen/proto/envoy/type/matcher/v3/string_pb.js";
import { each } from "../../config/problems.ts";
import { compileString, type TextTest } from "../../text/string-matcher.ts";
import type { Question } from "./verdict.ts";

/** envoy.type.matcher.v3.ListStringMatcher; undefined: there is no list. Throws an Error naming the field. */
export function compileList(list: { readonly patterns: readonly StringMatcher[] } | undefined): TextTest | undefined {
  if (list === undefined) return undefined;
  const tests = each("patterns", list.patterns, compileString);
  return (name) => tests.some((test) => test(name));
}

export interface Shown {
  /** Undefined: all. */
  readonly allowed: TextTest | undefined;
  readonly disallowed: TextTest | undefined;
  /** Values as they came, repeated fields apart. */
  readonly raw: boolean;
}

/** The fields of a request that the service is shown, pseudo-headers among them: flat. */
export function shownHeaders({ request, body }: Question, { allowed, disallowed, raw }: Shown): string[] {
  const { method, path, authority, scheme, headers } = request;
  const pseudo = [":authority", authority, ":path", path, ":method", method, ":scheme", scheme];
  const shown: string[] = [];
  const all = [...pseudo, ...headers];
  for (let i = 0; i < all.length; i += 2) {
    const [name, value] = [all[i] as string, all[i + 1] as string];
    // A client cannot say it in place of us.
    if (name === partialBody || disallowed?.(name) === true || allowed?.(name) === false) continue;
    const at = raw ? -1 : shown.findIndex((each, index) => index % 2 === 0 && each === name);
    if (at === -1) shown.push(name, raw ? value : sanitized(value));
    else shown[at + 1] += `,${sanitized(value)}`;
  }
  if (body !== undefined) shown.push(partialBody, String(body.partial));
  return shown;
}

const partialBody = "x-envoy-auth-partial-body";

/** Bytes that are not UTF-8 become `!`, as in Envoy; on the wire, and so a latin1 string. */
export function sanitized(value: string): string {
  if (!/[^\0-\x7f]/.test(value)) return value;
  const text = Buffer.from(value, "latin1").toString("utf8").replaceAll("\ufffd", "!");
  return Buffer.from(text, "utf8").toString("latin1");
}

/** A latin1 string of the wire as text. */
export const textOf = (wire: string): string => Buffer.from(wire, "latin1").toString("utf8");
