import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type StatefulSession as Config,
  StatefulSessionPerRouteSchema,
  StatefulSessionSchema,
} from "../../../gen/proto/envoy/extensions/filters/http/stateful_session/v3/stateful_session_pb.js";
import { at } from "../../config/problems.ts";
import type { FilterFactory, HttpFilter, RequestContext, Step, StreamFilter } from "../../request/filter.ts";
import { hostPort } from "../../text/host-port.ts";
import { compileSessionState, type SessionState, sessionStateFields, sessionStateSchemas } from "./session-state.ts";

/** Keeps a client at its host: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/stateful_session_filter */
export const statefulSessionFilter: FilterFactory = {
  schema: StatefulSessionSchema,
  perRouteSchema: StatefulSessionPerRouteSchema,
  libraries: sessionStateSchemas,
  fields: {
    [StatefulSessionSchema.typeName]: ["session_state", "strict"],
    [StatefulSessionPerRouteSchema.typeName]: ["disabled", "stateful_session"],
    ...sessionStateFields,
  },
  compile: (name, config) => new StatefulSession(name, compileSettings(anyUnpack(config, StatefulSessionSchema))),
  compilePerRoute(config: Any): Settings {
    const override = anyUnpack(config, StatefulSessionPerRouteSchema)?.override;
    if (override?.case === undefined) throw new Error("override: disabled or stateful_session is required");
    return override.case === "disabled" ? off : at("stateful_session", () => compileSettings(override.value));
  },
};

interface Settings {
  /** Undefined: no sessions. */
  readonly state: SessionState | undefined;
  readonly strict: boolean;
}

const off: Settings = { state: undefined, strict: false };

function compileSettings(config: Config | undefined): Settings {
  const any = config?.sessionState?.typedConfig;
  return { state: any && at("session_state", () => compileSessionState(any)), strict: config?.strict ?? false };
}

class StatefulSession implements HttpFilter {
  readonly name: string;
  private readonly settings: Settings;

  constructor(name: string, settings: Settings) {
    this.name = name;
    this.settings = settings;
  }

  open(request: RequestContext): StreamFilter | undefined {
    const { state, strict } = request.perFilter<Settings>(this.name) ?? this.settings;
    return state?.applies(request) === true ? new Session(request, state, strict) : undefined;
  }
}

class Session implements StreamFilter {
  private readonly request: RequestContext;
  private readonly state: SessionState;
  private readonly address: string | undefined;

  constructor(request: RequestContext, state: SessionState, strict: boolean) {
    this.request = request;
    this.state = state;
    this.address = state.read(request.headers);
    if (this.address !== undefined) request.overrideHost({ address: this.address, strict });
  }

  onResponse(): Step {
    const { record, responseHeaders } = this.request;
    if (record.upstreamRemoteAddress === "") return "go";
    const address = hostPort(record.upstreamRemoteAddress, record.upstreamRemotePort);
    if (address !== this.address) this.state.write(responseHeaders, address);
    return "go";
  }
}
