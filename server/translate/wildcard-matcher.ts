import type { MessageInitShape } from "@bufbuild/protobuf";
import type { StringMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";

type StringMatcher = MessageInitShape<typeof StringMatcherSchema>;

/** `x`, `x*`, `*x`, and `*` for anything that is there at all. `only`: at which end a star means anything; unset: at both. */
export function wildcardMatcher(value: string, only?: "prefix" | "suffix"): StringMatcher {
  if (value === "*") return regexMatcher(".+");
  if (value.startsWith("*") && only !== "prefix") return { matchPattern: { case: "suffix", value: value.slice(1) } };
  if (value.endsWith("*") && only !== "suffix") return { matchPattern: { case: "prefix", value: value.slice(0, -1) } };
  return { matchPattern: { case: "exact", value } };
}

export const regexMatcher = (regex: string): StringMatcher => ({
  matchPattern: { case: "safeRegex", value: { regex } },
});

/** For RE2. */
export const quoteRegex = (text: string): string => text.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
