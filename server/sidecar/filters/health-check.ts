import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type HealthCheck,
  HealthCheckSchema,
} from "../../gen/proto/envoy/extensions/filters/http/health_check/v3/health_check_pb.js";
import { durationMs } from "../duration.ts";
import { getHeader, setHeader } from "../http/headers.ts";
import { allMatch, compileHeaders, type RequestTest } from "../match/header-matcher.ts";
import { ResponseFlag } from "../record.ts";
import {
  type FilterFactory,
  type FilterIo,
  type HttpFilter,
  type RequestContext,
  type Step,
  type StreamFilter,
  Wants,
} from "../request/filter.ts";

/** Answers whoever asks whether the proxy is well: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/health_check_filter */
export const healthCheckFilter: FilterFactory = {
  schema: HealthCheckSchema,
  fields: {
    [HealthCheckSchema.typeName]: ["pass_through_mode", "cache_time", "cluster_min_healthy_percentages", "headers"],
  },
  compile: (name, config, io) => new HealthCheckFilter(name, config, io),
};

interface Verdict {
  readonly status: number;
  readonly details: string;
  readonly degraded?: boolean;
}

class HealthCheckFilter implements HttpFilter {
  readonly name: string;
  readonly wants = Wants.requestData;
  private readonly io: FilterIo;
  private readonly passThrough: boolean;
  private readonly cacheMs: number;
  private readonly tests: readonly RequestTest[];
  private readonly minHealthy: readonly (readonly [cluster: string, percent: number])[];
  private cached: (Verdict & { readonly until: number }) | undefined = undefined;

  constructor(name: string, any: Any, io: FilterIo) {
    const config: HealthCheck | undefined = anyUnpack(any, HealthCheckSchema);
    const { passThroughMode, cacheTime, clusterMinHealthyPercentages: percents = {}, headers = [] } = config ?? {};
    if (passThroughMode === undefined) throw new Error("pass_through_mode: required");
    this.name = name;
    this.io = io;
    this.passThrough = passThroughMode;
    this.cacheMs = durationMs(cacheTime) ?? 0;
    this.tests = compileHeaders(headers);
    this.minHealthy = Object.entries(percents).map(([cluster, percent]) => [cluster, percent.value] as const);
    if (!passThroughMode && this.cacheMs > 0) throw new Error("cache_time: needs pass_through_mode");
    if (passThroughMode && this.minHealthy.length > 0) {
      throw new Error("cluster_min_healthy_percentages: must not be set with pass_through_mode");
    }
  }

  open(request: RequestContext): StreamFilter | undefined {
    if (!allMatch(this.tests, request)) return undefined;
    request.record.healthCheck = true;
    request.record.sampled = false;
    const answers = !this.passThrough || this.io.local.healthCheckFails() || this.cache !== undefined;
    // What is asked for is answered when it is whole, so that the connection can go on.
    const whole = () => this.answer(request);
    return answers
      ? {
          onRequest: () => (request.hasBody ? request.hold(() => {}) : whole()),
          requestEnd: () => void (request.hasBody && whole()),
        }
      : undefined;
  }

  onResponse(request: RequestContext): Step {
    const { responseHeaders: headers, record, status } = request;
    const { local } = this.io;
    if (record.healthCheck) {
      const degraded = getHeader(headers, "x-envoy-degraded") !== undefined;
      if (this.cacheMs > 0 && this.cache === undefined && this.passThrough) {
        this.cached = { status, details: "health_check_cached", degraded, until: performance.now() + this.cacheMs };
      }
      setHeader(headers, "x-envoy-upstream-healthchecked-cluster", local.cluster);
    } else if (local.healthCheckFails()) setHeader(headers, "x-envoy-immediate-health-check-fail", "true");
    return "go";
  }

  private get cache(): Verdict | undefined {
    const { cached } = this;
    return cached !== undefined && performance.now() < cached.until ? cached : undefined;
  }

  private answer(request: RequestContext): Step {
    const { status, details, degraded } = this.verdict();
    this.count("request_total");
    const well = status >= 200 && status < 300;
    this.count(well ? "ok" : "failed");
    const flags = well ? 0 : ResponseFlag.failedLocalHealthcheck;
    return request.reply(status, "", details, flags, degraded === true ? ["x-envoy-degraded", ""] : []);
  }

  private verdict(): Verdict {
    if (this.io.local.healthCheckFails()) return { status: 503, details: "health_check_failed" };
    const { cache } = this;
    if (cache !== undefined) {
      this.count("cached_response");
      return cache;
    }
    for (const [name, percent] of this.minHealthy) {
      const stats = this.io.clusters.get(name)?.stats;
      if (stats === undefined) return this.unwell("cluster_not_found", "health_check_failed_no_cluster_found");
      const total = stats.membershipTotal.value;
      if (total === 0 && percent > 0) return this.unwell("cluster_empty", "health_check_failed_cluster_empty");
      if (stats.membershipHealthy.value < (total * percent) / 100) {
        return this.unwell("cluster_unhealthy", "health_check_failed_cluster_unhealthy");
      }
    }
    return { status: 200, details: this.minHealthy.length > 0 ? "health_check_ok_cluster_healthy" : "health_check_ok" };
  }

  private unwell(counter: string, details: string): Verdict {
    this.count(`failed_${counter}`);
    return { status: 503, details };
  }

  private count(what: string): void {
    this.io.stats.counter(`${this.io.statPrefix}health_check.${what}`).inc();
  }
}
