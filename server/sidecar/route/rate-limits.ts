import { isIP } from "node:net";
import type {
  RateLimit,
  RateLimit_Action,
  RateLimit_HitsAddend,
  RateLimit_Override,
} from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RateLimit_Action_MetaData_Source as MetadataSource } from "../../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { RateLimitUnit } from "../../gen/proto/envoy/type/v3/ratelimit_unit_pb.js";
import { at, each, together } from "../config/problems.ts";
import { compileFormat, renderText } from "../format/format.ts";
import { getHeader, toWire } from "../http/headers.ts";
import type { DownstreamFacts } from "../http/stream.ts";
import { allMatch, compileHeaders } from "../match/header-matcher.ts";
import { compileQuery } from "../match/query-matcher.ts";
import { queryValue } from "../match/query-string.ts";
import type { RequestView } from "../match/request-view.ts";
import type { Metadata, RequestRecord } from "../record.ts";
import { maskAddress } from "../text/mask-address.ts";

/** What a limit is for: a request is counted by it, be it here or by a service. */
export interface Descriptor {
  readonly entries: readonly { readonly key: string; readonly value: string }[];
  /** In place of what the service knows. */
  readonly limit: { readonly requestsPerUnit: number; readonly unit: RateLimitUnit } | undefined;
  /** How much a request counts; undefined: once. */
  readonly hits: number | undefined;
}

export interface RateLimitSubject extends RequestView {
  readonly connection: DownstreamFacts;
  /** The cluster that the route chose. */
  readonly cluster: string;
  readonly record: RequestRecord;
}

/** One `rate_limits` entry of a route or a virtual host. */
export interface RateLimitRule {
  readonly stage: number;
  /** "": it cannot be switched off. */
  readonly disableKey: string;
  /** @param localCluster of this proxy. @returns undefined: it is not for such a request */
  describe(subject: RateLimitSubject, localCluster: string): Descriptor | undefined;
}

/** Undefined: the request has no such thing, and so nothing is limited by it. "skip": it does without. */
type Action = (subject: RateLimitSubject, localCluster: string) => Descriptor["entries"][number] | "skip" | undefined;

/** Throws an Error naming the field. https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-ratelimit */
export const compileRateLimits = (limits: readonly RateLimit[]): RateLimitRule[] =>
  each("rate_limits", limits, (limit) => compileRateLimit({ ...limit, hitsAddend: undefined }));

/** Those that a filter's own configuration has, for the whole chain or for a route. Of these a request may count more than once; stages, keys and overrides mean nothing. */
export const compileFilterRateLimits = (limits: readonly RateLimit[]): RateLimitRule[] =>
  each("rate_limits", limits, (limit) => compileRateLimit({ ...limit, stage: 0, disableKey: "", limit: undefined }));

function compileRateLimit({ stage, disableKey, actions, limit, hitsAddend }: RateLimit): RateLimitRule {
  if (actions.length === 0) throw new Error("actions: at least one is required");
  if ((stage ?? 0) > 10) throw new Error("stage: must be 10 at most");
  const parts = together<{
    made: Action[];
    override: (metadata: Metadata | undefined) => Descriptor["limit"];
    hits: (record: RequestRecord) => Descriptor["hits"] | "unknown";
  }>({
    made: () => each("actions", actions, compileAction),
    override: () => compileOverride(limit),
    hits: () => compileHits(hitsAddend),
  });
  return {
    stage: stage ?? 0,
    disableKey,
    describe(subject, localCluster) {
      const entries: Descriptor["entries"][number][] = [];
      for (const action of parts.made) {
        const entry = action(subject, localCluster);
        if (entry === undefined) return undefined;
        if (entry !== "skip") entries.push(entry);
      }
      const hits = parts.hits(subject.record);
      if (hits === "unknown") return undefined;
      return { entries, limit: parts.override(subject.dynamicMetadata), hits };
    },
  };
}

function compileAction({ actionSpecifier: action }: RateLimit_Action): Action {
  switch (action.case) {
    case "sourceCluster":
      return (_, localCluster) => ({ key: "source_cluster", value: localCluster });
    case "destinationCluster":
      return ({ cluster }) => ({ key: "destination_cluster", value: cluster });
    case "requestHeaders": {
      const { headerName, descriptorKey: key, skipIfAbsent } = action.value;
      const name = headerName.toLowerCase();
      return (subject) =>
        entryOf(key, name.startsWith(":") ? pseudo(subject, name) : getHeader(subject.headers, name), skipIfAbsent);
    }
    case "queryParameters": {
      const { queryParameterName, descriptorKey: key, skipIfAbsent } = action.value;
      return ({ path }) => entryOf(key, queryValue(path, queryParameterName), skipIfAbsent);
    }
    case "remoteAddress":
      return (subject) => ({ key: "remote_address", value: remoteAddress(subject) });
    case "maskedRemoteAddress": {
      const { v4PrefixMaskLen = 32, v6PrefixMaskLen = 128 } = action.value;
      return (subject) => ({
        key: "masked_remote_address",
        value: maskAddress(remoteAddress(subject), v4PrefixMaskLen, v6PrefixMaskLen),
      });
    }
    case "genericKey": {
      const entry = { key: action.value.descriptorKey || "generic_key", value: toWire(action.value.descriptorValue) };
      return () => entry;
    }
    case "headerValueMatch": {
      const { descriptorKey, descriptorValue, expectMatch = true, headers } = action.value;
      const tests = at("header_value_match", () => compileHeaders(headers));
      const entry = { key: descriptorKey || "header_match", value: toWire(descriptorValue) };
      return (subject) => (allMatch(tests, subject) === expectMatch ? entry : undefined);
    }
    case "queryParameterValueMatch": {
      const { descriptorKey, descriptorValue, expectMatch = true, queryParameters } = action.value;
      const tests = at("query_parameter_value_match", () => each("query_parameters", queryParameters, compileQuery));
      const entry = { key: descriptorKey || "query_match", value: toWire(descriptorValue) };
      return (subject) => (allMatch(tests, subject) === expectMatch ? entry : undefined);
    }
    case "metadata": {
      const { descriptorKey: key, metadataKey, defaultValue, source, skipIfAbsent } = action.value;
      const path = (metadataKey?.path ?? []).map(({ segment }) => String(segment.value));
      const from = source === MetadataSource.ROUTE_ENTRY ? "routeMetadata" : "dynamicMetadata";
      return (subject) => {
        const value = inside(subject[from]?.[metadataKey?.key ?? ""], path);
        const text = typeof value === "string" && value !== "" ? toWire(value) : toWire(defaultValue);
        return entryOf(key, text === "" ? undefined : text, skipIfAbsent);
      };
    }
    default:
      throw new Error(
        `${action.case ?? "action_specifier"}: ${action.case === undefined ? "required" : "not supported"}`,
      );
  }
}

const entryOf = (key: string, value: string | undefined, skipIfAbsent: boolean): ReturnType<Action> =>
  value === undefined ? (skipIfAbsent ? "skip" : undefined) : { key, value };

function pseudo({ method, path, authority, scheme }: RequestView, name: string): string | undefined {
  return { ":method": method, ":path": path, ":authority": authority, ":scheme": scheme }[name];
}

/** Who the nearest proxy says it had the request from: the last entry, as Envoy takes it without trusted hops. */
export function remoteAddress({ headers, connection }: Pick<RateLimitSubject, "headers" | "connection">): string {
  const value = getHeader(headers, "x-forwarded-for");
  const last = value?.slice(value.lastIndexOf(",") + 1).trim() ?? "";
  return isIP(last) === 0 ? connection.remoteAddress : last;
}

const inside = (value: unknown, path: readonly string[]): unknown =>
  path.reduce(
    (each, key) => (typeof each === "object" && each !== null ? (each as Record<string, unknown>)[key] : undefined),
    value,
  );

/** A limit that another filter has found out. */
function compileOverride(
  override: RateLimit_Override | undefined,
): (metadata: Metadata | undefined) => Descriptor["limit"] {
  const specifier = override?.overrideSpecifier;
  if (specifier?.case !== "dynamicMetadata") return () => undefined;
  const { metadataKey } = specifier.value;
  const path = (metadataKey?.path ?? []).map(({ segment }) => String(segment.value));
  return (metadata) => {
    const value = inside(metadata?.[metadataKey?.key ?? ""], path) as Record<string, unknown> | undefined;
    const { requests_per_unit: requests, unit } = value ?? {};
    const known = typeof unit === "string" ? RateLimitUnit[unit as keyof typeof RateLimitUnit] : undefined;
    if (typeof requests !== "number" || known === undefined) return undefined;
    return { requestsPerUnit: Math.floor(requests), unit: known };
  };
}

/** What cannot be read as a number limits nothing. */
function compileHits(
  addend: RateLimit_HitsAddend | undefined,
): (record: RequestRecord) => Descriptor["hits"] | "unknown" {
  if (addend === undefined) return () => undefined;
  if (addend.format === "") {
    const number = Number(addend.number ?? 1);
    return () => number;
  }
  const format = at("hits_addend.format", () => compileFormat(addend.format));
  return (record) => {
    const hits = renderText(format, record, "");
    return /^\d{1,10}$/.test(hits) && Number(hits) <= maxHits ? Number(hits) : "unknown";
  };
}

const maxHits = 1_000_000_000;

/** Fields of `rate_limits` with an effect. */
const limit = "envoy.config.route.v3.RateLimit";
export const rateLimitFields = {
  [limit]: ["stage", "disable_key", "actions", "limit", "hits_addend"],
  [`${limit}.Override`]: ["dynamic_metadata"],
  [`${limit}.Override.DynamicMetadata`]: ["metadata_key"],
  [`${limit}.HitsAddend`]: ["number", "format"],
  [`${limit}.Action`]: [
    "source_cluster",
    "destination_cluster",
    "request_headers",
    "query_parameters",
    "remote_address",
    "masked_remote_address",
    "generic_key",
    "header_value_match",
    "query_parameter_value_match",
    "metadata",
  ],
  [`${limit}.Action.SourceCluster`]: [],
  [`${limit}.Action.DestinationCluster`]: [],
  [`${limit}.Action.RemoteAddress`]: [],
  [`${limit}.Action.RequestHeaders`]: ["header_name", "descriptor_key", "skip_if_absent"],
  [`${limit}.Action.QueryParameters`]: ["query_parameter_name", "descriptor_key", "skip_if_absent"],
  [`${limit}.Action.MaskedRemoteAddress`]: ["v4_prefix_mask_len", "v6_prefix_mask_len"],
  [`${limit}.Action.GenericKey`]: ["descriptor_value", "descriptor_key"],
  [`${limit}.Action.HeaderValueMatch`]: ["descriptor_key", "descriptor_value", "expect_match", "headers"],
  [`${limit}.Action.QueryParameterValueMatch`]: [
    "descriptor_key",
    "descriptor_value",
    "expect_match",
    "query_parameters",
  ],
  [`${limit}.Action.MetaData`]: ["descriptor_key", "metadata_key", "default_value", "source", "skip_if_absent"],
  "envoy.type.metadata.v3.MetadataKey": ["key", "path"],
  "envoy.type.metadata.v3.MetadataKey.PathSegment": ["key"],
} as const;
