import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type FilterConfig,
  FilterConfigSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/grpc_stats/v3/config_pb.js";
import { isGrpc } from "../../http/grpc.ts";
import { getHeader } from "../../http/headers.ts";
import type { Fields } from "../../http/stream.ts";
import type { FilterState } from "../../record.ts";
import {
  type FilterFactory,
  type FilterIo,
  type HttpFilter,
  type RequestContext,
  type Step,
  type StreamFilter,
  Wants,
} from "../../request/filter.ts";
import { CallStats, callName, clusterOf, KnownCalls } from "./call-stats.ts";
import { FrameCounter } from "./frame-counter.ts";

/** Counts calls and messages by service and method: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/grpc_stats_filter */
export const grpcStatsFilter: FilterFactory = {
  schema: FilterConfigSchema,
  fields: {
    [FilterConfigSchema.typeName]: [
      "emit_filter_state",
      "individual_method_stats_allowlist",
      "stats_for_all_methods",
      "enable_upstream_stats",
      "replace_dots_in_grpc_service_name",
    ],
    "envoy.config.core.v3.GrpcMethodList": ["services"],
    "envoy.config.core.v3.GrpcMethodList.Service": ["name", "method_names"],
  },
  compile: (name, config, io) => new GrpcStatsFilter(name, config, io),
};

class GrpcStatsFilter implements HttpFilter {
  readonly name: string;
  readonly wants = Wants.requestData | Wants.responseData;
  readonly io: FilterIo;
  readonly emitsState: boolean;
  readonly timesUpstream: boolean;
  /** Of a request's path; "": counted without its name. */
  readonly segmentOf: (path: string) => string | undefined;

  constructor(name: string, config: Any, io: FilterIo) {
    const read = anyUnpack(config, FilterConfigSchema);
    this.name = name;
    this.io = io;
    this.emitsState = read?.emitFilterState ?? false;
    this.timesUpstream = read?.enableUpstreamStats ?? false;
    this.segmentOf = segments(read);
  }

  open(request: RequestContext): StreamFilter | undefined {
    return isGrpc(request.headers) ? new CountedCall(this, request) : undefined;
  }
}

function segments(config: FilterConfig | undefined): (path: string) => string | undefined {
  const specifier = config?.perMethodStatSpecifier;
  const known = new KnownCalls();
  const dots = config?.replaceDotsInGrpcServiceName !== true;
  const segment = ({ service, method }: { service: string; method: string }) =>
    known.segment({ service: dots ? service : service.replaceAll(".", "_"), method });
  if (specifier?.case === "statsForAllMethods" && specifier.value) {
    return (path) => {
      const call = callName(path);
      return call && segment(call);
    };
  }
  const services = specifier?.case === "individualMethodStatsAllowlist" ? specifier.value.services : [];
  const listed = new Set(services.flatMap(({ name, methodNames }) => methodNames.map((method) => `${name}/${method}`)));
  return (path) => {
    const call = callName(path);
    if (call === undefined) return undefined;
    return listed.has(`${call.service}/${call.method}`) ? segment(call) : "";
  };
}

/** Counts of one call, and what the log may show of them. */
class CountedCall implements StreamFilter, FilterState {
  private readonly filter: GrpcStatsFilter;
  private readonly request: RequestContext;
  private readonly requests = new FrameCounter();
  private readonly responses = new FrameCounter();
  private readonly stats: CallStats | undefined;
  private answersGrpc = false;

  constructor(filter: GrpcStatsFilter, request: RequestContext) {
    this.filter = filter;
    this.request = request;
    const cluster = clusterOf(request, filter.io.clusters);
    const segment = filter.segmentOf(request.path);
    if (cluster !== undefined && segment !== undefined) {
      this.stats = new CallStats(filter.io.stats, cluster, "grpc", segment);
    }
  }

  requestData(data: Buffer): Buffer {
    this.note("request", this.requests.feed(data));
    return data;
  }

  onResponse(): Step {
    const { responseHeaders, responseHasBody } = this.request;
    this.answersGrpc = responseHasBody
      ? isGrpc(responseHeaders)
      : getHeader(responseHeaders, "grpc-status") !== undefined;
    this.stats?.status(getHeader(responseHeaders, "grpc-status"));
    return "go";
  }

  responseData(data: Buffer): Buffer {
    if (this.answersGrpc) this.note("response", this.responses.feed(data));
    return data;
  }

  responseEnd(trailers: Fields): undefined {
    if (trailers.length === 0) return;
    this.stats?.status(getHeader(trailers, "grpc-status"));
    const { timeToLastUpstreamTxMs: sent, timeToLastUpstreamRxMs: received } = this.request.record;
    if (this.filter.timesUpstream && sent > 0 && received > 0) this.stats?.upstreamTime(received - sent);
  }

  json(): Record<string, string> {
    return this.counts("requestMessageCount", "responseMessageCount");
  }

  fields(): Record<string, string> {
    return this.counts("request_message_count", "response_message_count");
  }

  private counts(request: string, response: string): Record<string, string> {
    const { requests, responses } = this;
    return {
      ...(requests.count > 0 && { [request]: String(requests.count) }),
      ...(responses.count > 0 && { [response]: String(responses.count) }),
    };
  }

  text(): string {
    return `${this.requests.count},${this.responses.count}`;
  }

  private note(direction: "request" | "response", count: number): void {
    if (count === 0) return;
    this.stats?.messages(direction, count);
    if (!this.filter.emitsState) return;
    const { record } = this.request;
    if (record.filterState?.[stateName] === undefined)
      record.filterState = { ...record.filterState, [stateName]: this };
  }
}

const stateName = "envoy.filters.http.grpc_stats";
