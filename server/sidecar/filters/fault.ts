import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { type HTTPFault, HTTPFaultSchema } from "../../gen/proto/envoy/extensions/filters/http/fault/v3/fault_pb.js";
import type { FractionalPercent } from "../../gen/proto/envoy/type/v3/percent_pb.js";
import { durationMs } from "../duration.ts";
import { allMatch, compileHeaders, type RequestTest } from "../match/header-matcher.ts";
import { ResponseFlag } from "../record.ts";
import type { FilterFactory, FilterIo, HttpFilter, RequestContext, Step } from "../request/filter.ts";
import { fraction, type Share } from "../runtime.ts";

/** Delays and aborts: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/fault_filter */
export const faultFilter: FilterFactory = {
  schema: HTTPFaultSchema,
  perRouteSchema: HTTPFaultSchema,
  fields: {
    [HTTPFaultSchema.typeName]: [
      "delay",
      "abort",
      "upstream_cluster",
      "headers",
      "max_active_faults",
      "delay_percent_runtime",
      "abort_percent_runtime",
      // harmless: only switches stats off
      "disable_downstream_cluster_stats",
    ],
    "envoy.extensions.filters.http.fault.v3.FaultAbort": ["http_status", "grpc_status", "percentage"],
    "envoy.extensions.filters.common.fault.v3.FaultDelay": ["fixed_delay", "percentage"],
  },
  compile: (name, config, io) => new FaultFilter(name, compileFault(config), io),
  compilePerRoute: compileFault,
};

interface CompiledFault {
  readonly delayMs: number;
  readonly delayShare: Share;
  readonly abortStatus: number;
  readonly abortGrpcStatus: number | undefined;
  readonly abortShare: Share;
  readonly upstreamCluster: string;
  readonly headers: readonly RequestTest[];
  readonly maxActive: number;
}

class FaultFilter implements HttpFilter {
  readonly name: string;
  private readonly fault: CompiledFault;
  private readonly io: FilterIo;
  private active = 0;

  constructor(name: string, fault: CompiledFault, io: FilterIo) {
    this.name = name;
    this.fault = fault;
    this.io = io;
  }

  onRequest(request: RequestContext): Step {
    const fault = request.perFilter<CompiledFault>(this.name) ?? this.fault;
    if (fault.delayMs === 0 && fault.abortStatus === 0) return "go";
    if (fault.upstreamCluster !== "" && request.cluster !== fault.upstreamCluster) return "go";
    if (!allMatch(fault.headers, request)) return "go";
    if (this.active >= fault.maxActive) {
      this.io.stats.counter(`${this.io.statPrefix}fault.faults_overflow`).inc();
      return "go";
    }
    if (fault.delayMs > 0 && this.draws(fault.delayShare)) return this.delay(request, fault);
    return this.aborts(fault) ? this.abort(request, fault) : "go";
  }

  private delay(request: RequestContext, fault: CompiledFault): Step {
    this.begin("delays_injected");
    request.record.responseFlags |= ResponseFlag.delayInjected;
    const timer = setTimeout(() => {
      if (this.aborts(fault)) this.abort(request, fault);
      else hold.resume();
    }, fault.delayMs);
    const hold = request.hold(() => {
      clearTimeout(timer);
      this.end();
    });
    return hold;
  }

  private aborts(fault: CompiledFault): boolean {
    return fault.abortStatus !== 0 && this.draws(fault.abortShare);
  }

  private abort(request: RequestContext, fault: CompiledFault): Step {
    this.begin("aborts_injected");
    this.end();
    const { abortStatus, abortGrpcStatus } = fault;
    const flag = ResponseFlag.faultInjected;
    return request.reply(abortStatus, "fault filter abort", "fault_filter_abort", flag, [], abortGrpcStatus);
  }

  private draws(share: Share): boolean {
    return this.io.runtime.draws(share, this.io.random);
  }

  private begin(counter: string): void {
    this.active++;
    this.io.stats.counter(`${this.io.statPrefix}fault.${counter}`).inc();
    this.io.stats.gauge(`${this.io.statPrefix}fault.active_faults`).add(1);
  }

  private end(): void {
    this.active--;
    this.io.stats.gauge(`${this.io.statPrefix}fault.active_faults`).add(-1);
  }
}

function compileFault(config: Any): CompiledFault {
  const fault: HTTPFault | undefined = anyUnpack(config, HTTPFaultSchema);
  const { delay, abort } = fault ?? {};
  const delaySpecifier = delay?.faultDelaySecifier;
  const errorType = abort?.errorType;
  const grpcStatus = errorType?.case === "grpcStatus" ? errorType.value : undefined;
  // To a caller that speaks no gRPC, a status of gRPC is a 200, as Envoy has it.
  const status = errorType?.case === "httpStatus" ? errorType.value : grpcStatus === undefined ? 0 : 200;
  if (abort !== undefined && (status < 200 || status > 599)) throw new Error("abort.http_status: must be 200 to 599");
  if (delay !== undefined && delaySpecifier?.case !== "fixedDelay") throw new Error("delay.fixed_delay: required");
  return {
    delayMs: delaySpecifier?.case === "fixedDelay" ? (durationMs(delaySpecifier.value) ?? 0) : 0,
    delayShare: shareAt(fault?.delayPercentRuntime || "fault.http.delay.fixed_delay_percent", delay?.percentage),
    abortStatus: status,
    abortGrpcStatus: grpcStatus,
    abortShare: shareAt(fault?.abortPercentRuntime || "fault.http.abort.abort_percent", abort?.percentage),
    upstreamCluster: fault?.upstreamCluster ?? "",
    headers: compileHeaders(fault?.headers ?? []),
    maxActive: fault?.maxActiveFaults ?? Number.POSITIVE_INFINITY,
  };
}

/** Envoy's own keys hold where the configuration names no others. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/fault_filter#runtime */
const shareAt = (key: string, percent: FractionalPercent | undefined): Share => ({
  key,
  fallback: fraction(percent, 0),
});
