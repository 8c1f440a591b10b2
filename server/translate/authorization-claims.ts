import type { MessageInitShape } from "@bufbuild/protobuf";
import type { PrincipalSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import type { MetadataMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/metadata_pb.js";
import type { StringMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { ValueMatcherSchema } from "../gen/proto/envoy/type/matcher/v3/value_pb.js";
import { jwtFilterName, jwtPayload } from "./names.ts";
import { regexMatcher, wildcardMatcher } from "./wildcard-matcher.ts";

type Principal = MessageInitShape<typeof PrincipalSchema>;
type StringMatcher = MessageInitShape<typeof StringMatcherSchema>;
type ValueMatcher = MessageInitShape<typeof ValueMatcherSchema>;
type MetadataMatcher = MessageInitShape<typeof MetadataMatcherSchema>;

/** What a filter noted of the request under its name. */
export const metadataMatcher = (filter: string, path: readonly string[], value: ValueMatcher): MetadataMatcher => ({
  filter,
  path: path.map((key) => ({ segment: { case: "key", value: key } })),
  value,
});

export const stringValue = (value: StringMatcher): ValueMatcher => ({
  matchPattern: { case: "stringMatch", value },
});

/** The text itself, or one of a list. */
const oneOf = (value: ValueMatcher): ValueMatcher => ({
  matchPattern: {
    case: "orMatch",
    value: {
      valueMatchers: [
        { matchPattern: { case: "listMatch", value: { matchPattern: { case: "oneOf", value } } } },
        value,
      ],
    },
  },
});

/** A claim of the verified token, nested or not, that is `value` or a list with it. */
export const claimMatcher = (claims: readonly string[], value: ValueMatcher): MetadataMatcher =>
  metadataMatcher(jwtFilterName, [jwtPayload, ...claims], oneOf(value));

export const claimIs =
  (claims: readonly string[]) =>
  (value: string): Principal => ({
    identifier: { case: "metadata", value: claimMatcher(claims, stringValue(wildcardMatcher(value))) },
  });

/** `<issuer>/<subject>`: the last slash divides them, as an issuer may be a URL (Istio's `requestPrincipalGenerator`). */
export function requestPrincipal(value: string): Principal {
  const [issuer, subject] = partsOf(value);
  const is = (claim: string, matcher: StringMatcher): Principal => ({
    identifier: { case: "metadata", value: metadataMatcher(jwtFilterName, [jwtPayload, claim], stringValue(matcher)) },
  });
  return { identifier: { case: "andIds", value: { ids: [is("iss", issuer), is("sub", subject)] } } };
}

function partsOf(value: string): [StringMatcher, StringMatcher] {
  const slash = value.lastIndexOf("/");
  const [issuer, subject] = [value.slice(0, slash), value.slice(slash + 1)];
  if (value === "*") return [anything, anything];
  if (slash >= 0) return [wildcardMatcher(issuer, "suffix"), wildcardMatcher(subject, "prefix")];
  if (value.startsWith("*")) return [anything, wildcardMatcher(value)];
  return [wildcardMatcher(value), value.endsWith("*") ? anything : wildcardMatcher("")];
}

const anything = regexMatcher(".+");
