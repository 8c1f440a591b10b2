import { anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type AccessLogFilter,
  type ComparisonFilter,
  ComparisonFilter_Op,
  type ExtensionFilter,
  type GrpcStatusFilter,
  type LogTypeFilter,
  type RuntimeFilter,
} from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { AccessLogType } from "../../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { ExpressionFilterSchema } from "../../gen/proto/envoy/extensions/access_loggers/filters/cel/v3/cel_pb.js";
import { fail, ok, type Result } from "../../lib/result.ts";
import { problemsOf } from "../config/problems.ts";
import { celCondition } from "../format/operators/cel/cel.ts";
import { compileOperator } from "../format/operators/operators.ts";
import { grpcStatusFor, grpcStatusOf } from "../http/grpc.ts";
import { compileHeader } from "../match/header-matcher.ts";
import type { RequestRecord } from "../record.ts";
import { shortFlags } from "../response-flags.ts";
import { fraction, perOf, type Runtime, type Share } from "../runtime.ts";

type Admit = (record: RequestRecord) => boolean;

/** What filters read beside the record. */
export interface FilterSources {
  readonly runtime: Runtime;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * Which records a logger takes; a filter that is not supported is an error that names it.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/accesslog/v3/accesslog.proto#config-accesslog-v3-accesslogfilter
 */
export function accessLogFilter(
  { filterSpecifier: filter }: AccessLogFilter,
  io: FilterSources,
): Result<Admit, string> {
  switch (filter.case) {
    case "statusCodeFilter": {
      const compare = comparison(filter.value.comparison, io.runtime);
      return ok((record) => compare(record.responseCode));
    }
    case "durationFilter": {
      const compare = comparison(filter.value.comparison, io.runtime);
      return ok((record) => compare(Math.floor(record.durationMs)));
    }
    case "responseFlagFilter":
      return ok(flagged(filter.value.flags));
    case "traceableFilter":
      return ok((record) => record.sampled);
    case "notHealthCheckFilter":
      return ok((record) => !record.healthCheck);
    case "headerFilter": {
      const { header } = filter.value;
      if (header === undefined) return fail("header_filter.header is required");
      try {
        const test = compileHeader(header);
        return ok(({ method, path, authority, scheme, requestHeaders, dynamicMetadata }) =>
          test({ method, path, authority, scheme, headers: requestHeaders, dynamicMetadata }),
        );
      } catch (cause) {
        return fail(...problemsOf(cause).map((problem) => `header_filter.header: ${problem}`));
      }
    }
    case "grpcStatusFilter":
      return ok(byGrpcStatus(filter.value));
    case "logTypeFilter":
      return ok(byLogType(filter.value));
    case "runtimeFilter":
      return ok(sampled(filter.value, io));
    case "andFilter":
      return combined(filter.value.filters, io, (admits, record) => admits.every((admit) => admit(record)));
    case "orFilter":
      return combined(filter.value.filters, io, (admits, record) => admits.some((admit) => admit(record)));
    case "extensionFilter":
      return byExpression(filter.value);
    default:
      return fail(`filter ${filter.case ?? "(none)"} is not supported`);
  }
}

function comparison(filter: ComparisonFilter | undefined, runtime: Runtime): (value: number) => boolean {
  const bound = runtime.number(filter?.value);
  switch (filter?.op) {
    case ComparisonFilter_Op.GE:
      return (value) => value >= bound();
    case ComparisonFilter_Op.LE:
      return (value) => value <= bound();
    default:
      return (value) => value === bound();
  }
}

/** Without names: any flag. */
function flagged(names: readonly string[]): Admit {
  return ({ responseFlags }) => {
    if (responseFlags === 0) return false;
    return (
      names.length === 0 ||
      shortFlags(responseFlags)
        .split(",")
        .some((flag) => names.includes(flag))
    );
  };
}

/** Of anything: what is no call of gRPC is what its HTTP status means to one. */
function byGrpcStatus({ statuses, exclude }: GrpcStatusFilter): Admit {
  const listed = new Set<number>(statuses);
  return ({ responseHeaders, responseTrailers, responseCode }) => {
    const told = grpcStatusOf(responseHeaders, responseTrailers);
    const status = told !== undefined && /^\d{1,9}$/.test(told) ? Number(told) : grpcStatusFor(responseCode);
    return listed.has(status) !== exclude;
  };
}

/** Records are written at the end of a request or a connection. */
function byLogType({ types, exclude }: LogTypeFilter): Admit {
  const listed = new Set<number>(types);
  const typeOf = ({ ofListener, protocol }: RequestRecord) => {
    if (ofListener) return AccessLogType.NotSet;
    return protocol === "" ? AccessLogType.TcpConnectionEnd : AccessLogType.DownstreamEnd;
  };
  return (record) => listed.has(typeOf(record)) !== exclude;
}

/** A share of the requests; by their id where they have one, so that all proxies on their way take the same. */
function sampled(config: RuntimeFilter, { runtime, random }: FilterSources): Admit {
  const share: Share = { key: config.runtimeKey, fallback: fraction(config.percentSampled, 0) };
  const per = perOf(config.percentSampled);
  return ({ requestId }) => {
    const id = config.useIndependentRandomness ? Number.NaN : Number.parseInt(requestId.slice(0, 8), 16);
    const value = runtime.get(config.runtimeKey);
    const steps = value?.share === undefined ? per : value.per;
    return (Number.isNaN(id) ? random() : (id % steps) / steps) < runtime.now(share);
  };
}

/** https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/access_loggers/filters/cel/v3/cel.proto */
function byExpression({ name, configType }: ExtensionFilter): Result<Admit, string> {
  const where = `extension_filter ${name}`;
  if (configType.case === undefined) return fail(`${where}: typed_config is required`);
  const cel = anyUnpack(configType.value, ExpressionFilterSchema);
  if (cel === undefined) return fail(`${where}: ${configType.value.typeUrl} is not supported`);
  try {
    return ok(celCondition(cel.expression, compileOperator));
  } catch (cause) {
    return fail(...problemsOf(cause).map((problem) => `${where}: expression: ${problem}`));
  }
}

function combined(
  filters: readonly AccessLogFilter[],
  io: FilterSources,
  decide: (admits: Admit[], record: RequestRecord) => boolean,
): Result<Admit, string> {
  const parts = filters.map((filter) => accessLogFilter(filter, io));
  const errors = parts.flatMap((part) => (part.ok ? [] : part.errors));
  if (errors.length > 0) return fail(...errors);
  const admits = parts.flatMap((part) => (part.ok ? [part.value] : []));
  return ok((record) => decide(admits, record));
}
