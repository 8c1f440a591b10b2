import { anyUnpack } from "@bufbuild/protobuf/wkt";
import { RBACSchema } from "../../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { rbacFields } from "../rbac/fields.ts";
import { deniedDetails, RbacGuard } from "../rbac/guard.ts";
import type { NetworkFilterFactory } from "./network-filter.ts";

/**
 * Lets connections in, or not: https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/rbac_filter
 * All that it can go by is known once the handshake is over, so it decides then and not with the first byte.
 */
export const networkRbac: NetworkFilterFactory = {
  schema: RBACSchema,
  fields: {
    [RBACSchema.typeName]: ["rules", "stat_prefix", "shadow_rules", "shadow_rules_stat_prefix"],
    ...rbacFields,
  },
  compile(config, { stats }) {
    const rbac = anyUnpack(config, RBACSchema);
    if (rbac === undefined || rbac.statPrefix === "") throw new Error("stat_prefix: required");
    const prefix = rbac.statPrefix.endsWith(".") ? rbac.statPrefix : `${rbac.statPrefix}.`;
    const guard = new RbacGuard(rbac);
    return {
      accept({ facts, serverName, metadata }) {
        const subject = { connection: facts, serverName, remoteAddress: facts.remoteAddress, request: undefined };
        const { verdict, notes } = guard.judge(subject, stats, prefix);
        if (notes !== undefined) metadata["envoy.filters.network.rbac"] = notes;
        return verdict?.allowed === false ? { details: deniedDetails(verdict), flags: 0, delayMs: 0 } : undefined;
      },
    };
  },
};
