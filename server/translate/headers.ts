import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  HeaderValueOption_HeaderAppendAction,
  type HeaderValueOptionSchema,
} from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { compare } from "../model/hostname.ts";
import type { Headers } from "../model/specs.ts";

type HeaderValueOptionInit = MessageInitShape<typeof HeaderValueOptionSchema>;

type HeaderOperations = NonNullable<Headers["request"]>;

export interface HeaderMutations {
  requestHeadersToAdd: HeaderValueOptionInit[];
  requestHeadersToRemove: string[];
  responseHeadersToAdd: HeaderValueOptionInit[];
  responseHeadersToRemove: string[];
}

/** https://istio.io/latest/docs/reference/config/networking/virtual-service/#Headers */
export const headerMutations = (headers: Headers | undefined): HeaderMutations => ({
  requestHeadersToAdd: additions(headers?.request),
  requestHeadersToRemove: removals(headers?.request),
  responseHeadersToAdd: additions(headers?.response),
  responseHeadersToRemove: removals(headers?.response),
});

/** Envoy refuses to set `:authority` or `host` as a header: it is a host rewrite. `set` beats `add`. */
export function authorityOf(headers: Headers | undefined): string | undefined {
  const find = (map: Readonly<Record<string, string>> | undefined) =>
    Object.entries(map ?? {}).find(([name]) => /^(:authority|host)$/i.test(name))?.[1];
  return find(headers?.request?.set) || find(headers?.request?.add) || undefined;
}

function additions(operations: HeaderOperations | undefined): HeaderValueOptionInit[] {
  const { OVERWRITE_IF_EXISTS_OR_ADD, APPEND_IF_EXISTS_OR_ADD } = HeaderValueOption_HeaderAppendAction;
  return [
    ...options(operations?.set, OVERWRITE_IF_EXISTS_OR_ADD),
    ...options(operations?.add, APPEND_IF_EXISTS_OR_ADD),
  ];
}

const options = (
  headers: Readonly<Record<string, string>> | undefined,
  appendAction: HeaderValueOption_HeaderAppendAction,
): HeaderValueOptionInit[] =>
  Object.entries(headers ?? {})
    .filter(([key]) => !isInternal(key))
    .sort(([a], [b]) => compare(a, b))
    .map(([key, value]) => ({ header: { key, value }, appendAction }));

const removals = (operations: HeaderOperations | undefined): string[] =>
  (operations?.remove ?? []).filter((name) => !isInternal(name));

/** Pseudo headers and `host` cannot be mutated. */
const isInternal = (name: string): boolean => name.startsWith(":") || name.toLowerCase() === "host";
