import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import {
  type JwtAuthentication,
  JwtAuthenticationSchema,
  PerRouteConfigSchema,
  type RequirementRule,
} from "../../../gen/proto/envoy/extensions/filters/http/jwt_authn/v3/config_pb.js";
import { Recent } from "../../../lib/recent.ts";
import { at, each, together } from "../../config/problems.ts";
import { getHeader } from "../../http/headers.ts";
import type { FilterFactory, FilterIo, HttpFilter, RequestContext, Step } from "../../request/filter.ts";
import { type CompiledMatch, compileMatch, matches } from "../../route/route-match.ts";
import { jwtFields } from "./fields.ts";
import { originalUri } from "./locations.ts";
import { compileProvider } from "./provider.ts";
import { compileRequirement, type Pass, type Providers, type Requirement } from "./requirement.ts";
import { type JwtStatus, statusTexts } from "./status.ts";
import type { Token } from "./token.ts";

/** Lets requests in whose tokens prove who sends them: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/jwt_authn_filter */
export const jwtFilter: FilterFactory = {
  schema: JwtAuthenticationSchema,
  perRouteSchema: PerRouteConfigSchema,
  fields: jwtFields,
  compile: (name, config, io) => new JwtFilter(name, anyUnpack(config, JwtAuthenticationSchema), io),
  compilePerRoute(config: Any): RouteConfig {
    const { requirementSpecifier: specifier } = anyUnpack(config, PerRouteConfigSchema) ?? {};
    if (specifier?.case === "requirementName") return { requirement: specifier.value };
    if (specifier?.case === "disabled" && specifier.value) return { requirement: undefined };
    throw new Error("requirement_specifier: disabled (true) or requirement_name is required");
  },
};

/** What a route asks for in place of the filter's rules, by its name; undefined: nothing. */
interface RouteConfig {
  readonly requirement: string | undefined;
}

interface Rule {
  readonly match: CompiledMatch;
  /** Undefined: whoever comes is let in. */
  readonly requirement: Requirement | undefined;
}

class JwtFilter implements HttpFilter {
  readonly name: string;
  private readonly io: FilterIo;
  private readonly prefix: string;
  private readonly bypassPreflight: boolean;
  private readonly stripResponse: boolean;
  private readonly rules: readonly Rule[];
  private readonly named: ReadonlyMap<string, Requirement>;

  constructor(name: string, config: JwtAuthentication | undefined, io: FilterIo) {
    this.name = name;
    this.io = io;
    this.prefix = `${io.statPrefix}jwt_authn.${config?.statPrefix ? `${config.statPrefix}.` : ""}`;
    this.bypassPreflight = config?.bypassCorsPreflight ?? false;
    this.stripResponse = config?.stripFailureResponse ?? false;
    const counts = { fetched: (whole: boolean) => this.count(`jwks_fetch_${whole ? "success" : "failed"}`) };
    const configs = Object.entries(config?.providers ?? {});
    const byName = new Map(
      each(
        "providers",
        configs,
        ([key, provider]) => [key, compileProvider(provider, io, counts)] as const,
        ([key]) => JSON.stringify(key),
      ),
    );
    const onCache = (hit: boolean) => this.count(hit ? "jwt_cache_hit" : "jwt_cache_miss");
    const single = byName.size === 1 ? [...byName.values()][0] : undefined;
    const providers = {
      byName,
      onCache,
      single,
      read: new Recent<Token>(100),
      configs: configs.map(([, provider]) => provider),
    };
    this.named = namedRequirements(config, providers);
    this.rules = each("rules", config?.rules ?? [], (rule) => compileRule(rule, this.named, providers));
  }

  onRequest(request: RequestContext): Step {
    if (this.bypassPreflight && isPreflight(request)) {
      this.count("cors_preflight_bypassed");
      this.count("allowed");
      return "go";
    }
    const route = request.perFilter<RouteConfig>(this.name);
    const requirement = route === undefined ? this.ruleFor(request) : this.byRoute(route);
    if (typeof requirement === "string") {
      this.count("denied");
      const body = this.stripResponse ? "" : `Failed JWT authentication: ${requirement}`;
      return request.reply(403, body, details(requirement), 0);
    }
    if (requirement !== undefined) return this.judge(request, requirement);
    this.count("allowed");
    return "go";
  }

  private ruleFor(request: RequestContext): Requirement | undefined {
    const [path = ""] = request.path.split("?", 1);
    return this.rules.find(({ match }) => matches(match, request, path, this.io))?.requirement;
  }

  /** A text: there is no such requirement. */
  private byRoute({ requirement: name }: RouteConfig): Requirement | undefined | string {
    if (name === undefined) return undefined;
    const names = [...this.named.keys()].sort().join(",");
    return this.named.get(name) ?? `Wrong requirement_name: ${name}. It should be one of [${names}]`;
  }

  private judge(request: RequestContext, requirement: Requirement): Step {
    const uri = originalUri(request);
    const nowSec = Math.floor(this.io.wall.at(performance.now()) / 1000);
    const pass: Pass = { request, nowSec, metadata: {}, reroute: false, over: false };
    const hold = request.hold(() => {
      pass.over = true;
    });
    // No branch of a requirement throws; were one to, nobody would be let in by it.
    requirement(pass).then(
      (status) => this.conclude(pass, status, uri, () => hold.resume()),
      () => this.conclude(pass, "verificationFails", uri, () => hold.resume()),
    );
    return hold;
  }

  private conclude({ request, metadata, reroute, over }: Pass, status: JwtStatus, uri: string, goOn: () => void): void {
    if (over) return;
    if (Object.keys(metadata).length > 0) request.setMetadata(metadataName, metadata);
    if (status === "ok") {
      this.count("allowed");
      if (reroute) request.reroute();
      goOn();
      return;
    }
    this.count("denied");
    const text = statusTexts[status];
    const code = status === "audienceNotAllowed" ? 403 : 401;
    const error = status === "missing" ? "" : ', error="invalid_token"';
    const challenge = this.stripResponse ? [] : ["www-authenticate", `Bearer realm="${uri}"${error}`];
    request.reply(code, this.stripResponse ? "" : text, details(text), 0, challenge);
  }

  private count(name: string): void {
    this.io.stats.counter(this.prefix + name).inc();
  }
}

const metadataName = "envoy.filters.http.jwt_authn";

const details = (text: string): string => `jwt_authn_access_denied{${text.replaceAll(/\s/g, "_")}}`;

const namedRequirements = (config: JwtAuthentication | undefined, providers: Providers): Map<string, Requirement> =>
  new Map(
    each(
      "requirement_map",
      Object.entries(config?.requirementMap ?? {}),
      ([name, requirement]) => [name, compileRequirement(requirement, providers)] as const,
      ([name]) => JSON.stringify(name),
    ),
  );

function compileRule(
  { match, requirementType: kind }: RequirementRule,
  named: ReadonlyMap<string, Requirement>,
  providers: Providers,
): Rule {
  return together<Rule>({
    match: () => compileMatch(match),
    requirement: () => {
      if (kind.case === "requires") return at("requires", () => compileRequirement(kind.value, providers));
      if (kind.case === undefined) return undefined;
      const requirement = named.get(kind.value);
      if (requirement === undefined) {
        throw new Error(`requirement_name: ${JSON.stringify(kind.value)} is not in requirement_map`);
      }
      return requirement;
    },
  });
}

/** https://fetch.spec.whatwg.org/#cors-preflight-request: it never has credentials. */
const isPreflight = ({ method, headers }: RequestContext): boolean =>
  method === "OPTIONS" && !!getHeader(headers, "origin") && !!getHeader(headers, "access-control-request-method");
