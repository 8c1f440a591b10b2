import {
  type AccessLogFilter,
  type ComparisonFilter,
  ComparisonFilter_Op,
} from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { fail, ok, type Result } from "../../lib/result.ts";
import type { RequestRecord } from "../record.ts";
import { shortFlags } from "../response-flags.ts";

type Admit = (record: RequestRecord) => boolean;

/** Which records a logger takes; a filter that is not supported is an error that names it. */
export function accessLogFilter({ filterSpecifier: filter }: AccessLogFilter): Result<Admit, string> {
  switch (filter.case) {
    case "statusCodeFilter": {
      const compare = comparison(filter.value.comparison);
      return ok((record) => compare(record.responseCode));
    }
    case "durationFilter": {
      const compare = comparison(filter.value.comparison);
      return ok((record) => compare(record.durationMs));
    }
    case "responseFlagFilter": {
      const { flags } = filter.value;
      return ok((record) => {
        if (record.responseFlags === 0) return false;
        return (
          flags.length === 0 ||
          shortFlags(record.responseFlags)
            .split(",")
            .some((flag) => flags.includes(flag))
        );
      });
    }
    case "traceableFilter":
      return ok((record) => record.sampled);
    case "andFilter":
      return combined(filter.value.filters, (admits, record) => admits.every((admit) => admit(record)));
    case "orFilter":
      return combined(filter.value.filters, (admits, record) => admits.some((admit) => admit(record)));
    default:
      return fail(`filter ${filter.case ?? "(none)"} is not supported`);
  }
}

/** A RuntimeUInt32's default stands: there is no runtime. */
function comparison(filter: ComparisonFilter | undefined): (value: number) => boolean {
  const bound = filter?.value?.defaultValue ?? 0;
  switch (filter?.op) {
    case ComparisonFilter_Op.GE:
      return (value) => value >= bound;
    case ComparisonFilter_Op.LE:
      return (value) => value <= bound;
    default:
      return (value) => value === bound;
  }
}

function combined(
  filters: readonly AccessLogFilter[],
  decide: (admits: Admit[], record: RequestRecord) => boolean,
): Result<Admit, string> {
  const parts = filters.map(accessLogFilter);
  const errors = parts.flatMap((part) => (part.ok ? [] : part.errors));
  if (errors.length > 0) return fail(...errors);
  const admits = parts.flatMap((part) => (part.ok ? [part.value] : []));
  return ok((record) => decide(admits, record));
}
