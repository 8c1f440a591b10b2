import type { JsonValue } from "@bufbuild/protobuf";
import { status } from "@grpc/grpc-js";
import type { Node } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { NodeMatcher } from "../gen/proto/envoy/type/matcher/v3/node_pb.js";
import type { StringMatcher } from "../gen/proto/envoy/type/matcher/v3/string_pb.js";
import type { StructMatcher } from "../gen/proto/envoy/type/matcher/v3/struct_pb.js";
import type { ValueMatcher } from "../gen/proto/envoy/type/matcher/v3/value_pb.js";

/**
 * The id and all of the metadata must match; what is not asked for matches. Throws a ServiceError for what is not understood.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/node.proto
 */
export const matchesNode = ({ nodeId, nodeMetadatas }: NodeMatcher, node: Node): boolean =>
  (nodeId === undefined || matchesString(nodeId, node.id)) &&
  nodeMetadatas.every((matcher) => matchesStruct(matcher, node.metadata ?? {}));

function matchesStruct({ path, value }: StructMatcher, metadata: JsonValue): boolean {
  let found: JsonValue | undefined = metadata;
  for (const { segment } of path) {
    if (typeof found !== "object" || found === null || Array.isArray(found) || segment.case !== "key") return false;
    found = Object.hasOwn(found, segment.value) ? found[segment.value] : undefined;
  }
  return value !== undefined && matchesValue(value, found);
}

function matchesValue({ matchPattern }: ValueMatcher, value: JsonValue | undefined): boolean {
  switch (matchPattern.case) {
    case "nullMatch":
      return value === null;
    case "boolMatch":
      return value === matchPattern.value;
    case "presentMatch":
      return (value !== undefined && value !== null) === matchPattern.value;
    case "stringMatch":
      return typeof value === "string" && matchesString(matchPattern.value, value);
    case "doubleMatch": {
      const { matchPattern: number } = matchPattern.value;
      if (typeof value !== "number") return false;
      if (number.case === "exact") return value === number.value;
      return number.case === "range" && value >= number.value.start && value < number.value.end;
    }
    case "listMatch": {
      const { matchPattern: list } = matchPattern.value;
      return Array.isArray(value) && list.case === "oneOf" && value.some((item) => matchesValue(list.value, item));
    }
    case "orMatch":
      return matchPattern.value.valueMatchers.some((matcher) => matchesValue(matcher, value));
    default:
      throw unsupported("node_metadatas: a value matcher of this kind is not supported");
  }
}

function matchesString({ matchPattern, ignoreCase }: StringMatcher, text: string): boolean {
  if (typeof matchPattern.value !== "string") {
    throw unsupported("strings can be matched by exact, prefix, suffix and contains");
  }
  const fold = (value: string) => (ignoreCase ? value.toLowerCase() : value);
  const [subject, pattern] = [fold(text), fold(matchPattern.value)];
  if (matchPattern.case === "exact") return subject === pattern;
  if (matchPattern.case === "prefix") return subject.startsWith(pattern);
  if (matchPattern.case === "suffix") return subject.endsWith(pattern);
  return subject.includes(pattern);
}

const unsupported = (details: string): Error =>
  Object.assign(new Error(details), { code: status.UNIMPLEMENTED, details });
