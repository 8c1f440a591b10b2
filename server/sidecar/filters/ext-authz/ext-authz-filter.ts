import { create } from "@bufbuild/protobuf";
import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type CheckSettings,
  ExtAuthzPerRouteSchema,
  ExtAuthzSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/ext_authz/v3/ext_authz_pb.js";
import { at } from "../../config/problems.ts";
import {
  type FilterFactory,
  type FilterIo,
  type HttpFilter,
  type RequestContext,
  type StreamFilter,
  Wants,
} from "../../request/filter.ts";
import { Check } from "./check.ts";
import { extAuthzFields } from "./fields.ts";
import type { Ask } from "./service.ts";
import { checkBuffer, compileService, compileSettings, type Settings } from "./settings.ts";

/** Asks another server whether a request may come in: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/ext_authz_filter */
export const extAuthzFilter: FilterFactory = {
  schema: ExtAuthzSchema,
  perRouteSchema: ExtAuthzPerRouteSchema,
  fields: extAuthzFields,
  compile(name, config, io) {
    const extAuthz = anyUnpack(config, ExtAuthzSchema);
    if (extAuthz === undefined) throw new Error("cannot be read");
    return new ExtAuthzFilter(name, compileSettings(extAuthz, io), io);
  },
  compilePerRoute(config: Any): RouteSettings {
    const override = anyUnpack(config, ExtAuthzPerRouteSchema)?.override;
    if (override?.case === "disabled") return { disabled: override.value, settings: undefined };
    if (override?.case !== "checkSettings") throw new Error("override: disabled or check_settings is required");
    return at("check_settings", () => ({ disabled: false, settings: checkSettings(override.value) }));
  },
};

interface RouteSettings {
  readonly disabled: boolean;
  readonly settings: CheckSettings | undefined;
}

function checkSettings(settings: CheckSettings): CheckSettings {
  if (settings.disableRequestBodyBuffering && settings.withRequestBody !== undefined) {
    throw new Error("with_request_body: not beside disable_request_body_buffering");
  }
  if (settings.withRequestBody !== undefined) checkBuffer(settings.withRequestBody);
  const { serviceOverride } = settings;
  // Compiled once more with the filter's own settings, which routes don't know.
  if (serviceOverride.case !== undefined) compileService(serviceOverride, create(ExtAuthzSchema));
  return settings;
}

class ExtAuthzFilter implements HttpFilter {
  readonly name: string;
  readonly wants = Wants.requestData;
  private readonly settings: Settings;
  private readonly io: FilterIo;
  /** What routes have in place of the filter's own service. */
  private readonly asks = new WeakMap<CheckSettings, Ask>();

  constructor(name: string, settings: Settings, io: FilterIo) {
    this.name = name;
    this.settings = settings;
    this.io = io;
  }

  open(request: RequestContext): StreamFilter | undefined {
    const levels = request.perFilterLevels<RouteSettings>(this.name);
    const route = levels.at(-1);
    if (!request.hasRoute || route?.disabled === true) return undefined;
    const own = route?.settings;
    const ofAll = levels.map(({ settings }) => settings?.contextExtensions);
    const { config } = this.settings;
    const body =
      own?.disableRequestBodyBuffering === true ? undefined : (own?.withRequestBody ?? config.withRequestBody);
    return new Check(request, this.settings, this.io, {
      ask: own === undefined ? this.settings.ask : this.askOf(own),
      body,
      contextExtensions: Object.assign({}, ...ofAll),
    });
  }

  private askOf(settings: CheckSettings): Ask {
    const { serviceOverride } = settings;
    if (serviceOverride.case === undefined) return this.settings.ask;
    const known = this.asks.get(settings) ?? compileService(serviceOverride, this.settings.config);
    this.asks.set(settings, known);
    return known;
  }
}
