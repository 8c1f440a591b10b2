import type { BufferSettings } from "../../../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { ResponseFlag } from "../../record.ts";
import type { FilterIo, RequestContext, Step, StreamFilter } from "../../request/filter.ts";
import type { Hold } from "../../request/hold.ts";
import { applyChange, changeRequest, isInvalid, responseChanges } from "./changes.ts";
import type { Ask } from "./service.ts";
import type { Settings } from "./settings.ts";
import type { Change, Question, Verdict } from "./verdict.ts";

interface RouteOptions {
  readonly ask: Ask;
  /** How much of the body is shown; undefined: none. */
  readonly body: BufferSettings | undefined;
  readonly contextExtensions: Readonly<Record<string, string>>;
}

/** One request on trial. */
export class Check implements StreamFilter {
  private readonly request: RequestContext;
  private readonly settings: Settings;
  private readonly io: FilterIo;
  private readonly options: RouteOptions;
  private hold: Hold | undefined = undefined;
  private cancel: (() => void) | undefined = undefined;
  /** While data are gathered. */
  private parts: Buffer[] | undefined = undefined;
  private bytes = 0;
  private toAdd: readonly Change[] = [];
  private startedAt = 0;

  constructor(request: RequestContext, settings: Settings, io: FilterIo, options: RouteOptions) {
    this.request = request;
    this.settings = settings;
    this.io = io;
    this.options = options;
  }

  onRequest(): Step {
    const { request, settings, io, options } = this;
    const share = settings.enabledShare();
    const enabled = share >= 1 || (share > 0 && io.random() < share);
    if (!enabled || settings.enabledMetadata?.(request.dynamicMetadata) === false) {
      this.count("disabled");
      return settings.denyAtDisable() ? this.refuse(settings.statusOnError, "", []) : "go";
    }
    const hold = request.hold(() => this.cancel?.());
    this.hold = hold;
    if (options.body === undefined || !request.hasBody) {
      this.ask(undefined);
      return hold;
    }
    this.parts = [];
    request.limitRequest(options.body.maxRequestBytes, !options.body.allowPartialMessage);
    return hold;
  }

  requestData(data: Buffer): Buffer {
    const { parts, options } = this;
    if (parts === undefined || options.body === undefined) return data;
    parts.push(Buffer.from(data));
    this.bytes += data.length;
    if (options.body.allowPartialMessage && this.bytes >= options.body.maxRequestBytes) this.gathered();
    return data;
  }

  requestEnd(): undefined {
    if (this.parts !== undefined) this.gathered();
  }

  onResponse(): Step {
    for (const change of this.toAdd) applyChange(this.request.responseHeaders, change);
    return "go";
  }

  private gathered(): void {
    const all = Buffer.concat(this.parts ?? []);
    this.parts = undefined;
    const bytes = all.subarray(0, this.options.body?.maxRequestBytes);
    this.ask({ bytes, partial: bytes.length < all.length });
  }

  private ask(body: Question["body"]): void {
    const { request, io, options } = this;
    this.startedAt = performance.now();
    const startMs = io.wall.at(request.record.startMonotonicMs);
    const question = { request, body, contextExtensions: options.contextExtensions, startMs };
    let answered = false;
    const cancel = options.ask(question, io, (verdict) => {
      answered = true;
      this.cancel = undefined;
      this.conclude(verdict);
    });
    if (!answered) this.cancel = cancel;
  }

  private conclude(verdict: Verdict): void {
    const { config, statusOnError } = this.settings;
    if (config.validateMutations && isInvalid(verdict)) {
      this.count("invalid");
      this.refuse(500, "", [], "ext_authz_invalid");
      return;
    }
    if (verdict.kind !== "failed") this.note(verdict);
    switch (verdict.kind) {
      case "allowed":
        this.allow(verdict);
        return;
      case "denied": {
        this.countBoth("denied");
        this.chargeCluster(verdict.status);
        this.refuse(verdict.status, this.cut(verdict.body), verdict.headers, "ext_authz_denied");
        return;
      }
      case "failed":
        this.countBoth("error");
        if (config.failureModeAllow) this.allowFailed();
        else this.refuse(verdict.status ?? statusOnError, this.cut(verdict.body), verdict.headers);
    }
  }

  private allow(verdict: Extract<Verdict, { kind: "allowed" }>): void {
    const { request, settings } = this;
    this.toAdd = responseChanges(verdict.response);
    const changed = changeRequest(request, verdict);
    this.countBoth("ok");
    if (changed && settings.config.clearRouteCache) request.reroute();
    this.hold?.resume();
  }

  private allowFailed(): void {
    this.countBoth("failure_mode_allowed");
    if (this.settings.config.failureModeAllowHeaderAdd) {
      this.request.headers.push("x-envoy-auth-failure-mode-allowed", "true");
    }
    this.hold?.resume();
  }

  private refuse(status: number, body: string, headers: readonly Change[], details = "ext_authz_error"): Step {
    const extra = responseChanges(headers).flatMap(({ name, value }) => [name, value]);
    const code = status >= 200 && status < 600 ? status : 403;
    return this.request.reply(code, body, details, ResponseFlag.unauthorizedExternalService, extra);
  }

  /** What the service says besides its verdict. */
  private note({ kind, metadata }: Exclude<Verdict, { kind: "failed" }>): void {
    if (Object.keys(metadata).length === 0) return;
    if (this.settings.config.enableDynamicMetadataIngestion === false) {
      this.count("ignored_dynamic_metadata");
      return;
    }
    const took = kind === "allowed" ? { ext_authz_duration: Math.floor(performance.now() - this.startedAt) } : {};
    this.request.setMetadata("envoy.filters.http.ext_authz", { ...metadata, ...took });
  }

  private cut(body: string): string {
    const max = this.settings.config.maxDeniedResponseBodyBytes;
    return max === 0 ? body : body.slice(0, max);
  }

  private count(name: string): void {
    this.io.stats.counter(this.settings.statPrefix + name).inc();
  }

  /** Beside the filter's, there are counts of the cluster that the request would go to. */
  private countBoth(name: string): void {
    this.count(name);
    const cluster = this.io.clusters.get(this.request.cluster);
    const { statPrefix } = this.settings.config;
    if (cluster === undefined) return;
    this.io.stats.counter(`${cluster.stats.prefix}ext_authz.${statPrefix === "" ? "" : `${statPrefix}.`}${name}`).inc();
  }

  private chargeCluster(status: number): void {
    if (this.settings.config.chargeClusterResponseStats === false) return;
    this.io.clusters.get(this.request.cluster)?.stats.response(status);
  }
}
