import { type Any, anyUnpack } from "@bufbuild/protobuf/wkt";
import { RBACPerRouteSchema, RBACSchema } from "../../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import { rbacFields } from "../rbac/fields.ts";
import { deniedDetails, type RbacConfig, RbacGuard } from "../rbac/guard.ts";
import type { FilterFactory, FilterIo, HttpFilter, RequestContext, Step } from "../request/filter.ts";
import { remoteAddress } from "../route/rate-limits.ts";

/** Lets requests in, or not: https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rbac_filter */
export const rbacFilter: FilterFactory = {
  schema: RBACSchema,
  perRouteSchema: RBACPerRouteSchema,
  fields: {
    [RBACSchema.typeName]: ["rules", "rules_stat_prefix", "shadow_rules", "shadow_rules_stat_prefix"],
    [RBACPerRouteSchema.typeName]: ["rbac"],
    ...rbacFields,
  },
  compile: (name, config, io) => new RbacFilter(name, anyUnpack(config, RBACSchema), io),
  compilePerRoute(config: Any): RouteGuard {
    const rbac = anyUnpack(config, RBACPerRouteSchema)?.rbac;
    return { guard: rbac && new RbacGuard(rbac) };
  },
};

/** What a route has in place of the filter's own rules; undefined inside: it lets everybody in. */
interface RouteGuard {
  readonly guard: RbacGuard | undefined;
}

class RbacFilter implements HttpFilter {
  readonly name: string;
  private readonly own: RbacGuard | undefined;
  private readonly io: FilterIo;

  constructor(name: string, config: RbacConfig | undefined, io: FilterIo) {
    this.name = name;
    this.io = io;
    this.own = config && new RbacGuard(config);
  }

  onRequest(request: RequestContext): Step {
    const route = request.perFilter<RouteGuard>(this.name);
    const guard = route === undefined ? this.own : route.guard;
    if (guard === undefined) return "go";
    const { connection } = request;
    const subject = {
      connection,
      serverName: connection.tls?.serverName ?? "",
      remoteAddress: remoteAddress(request),
      request,
    };
    const { verdict, notes } = guard.judge(subject, this.io.stats, this.io.statPrefix);
    if (notes !== undefined) request.setMetadata(metadataName, notes);
    if (verdict === undefined) return "go";
    if (verdict.logged) request.setMetadata("envoy.common", { access_log_hint: true });
    return verdict.allowed ? "go" : request.reply(403, "RBAC: access denied", deniedDetails(verdict), 0);
  }
}

const metadataName = "envoy.filters.http.rbac";
