import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { RBAC_Action as Action, type RBACSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema as HttpRbacSchema } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import type { HttpFilterSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import { memo } from "../lib/memo.ts";
import { type AuthorizationAction, type AuthorizationPolicy, policiesFor } from "../model/authorization-policies.ts";
import type { Mesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import { policyOf } from "./authorization-rules.ts";

type Rules = MessageInitShape<typeof RBACSchema>;

/** What guards a workload: filters before its application. */
export interface Authorization {
  readonly http: readonly MessageInitShape<typeof HttpFilterSchema>[];
  readonly tcp: readonly MessageInitShape<typeof FilterSchema>[];
}

const nobody: Authorization = { http: [], tcp: [] };

/** What is denied goes before what is allowed. https://istio.io/latest/docs/concepts/security/#implicit-enablement */
const order: readonly AuthorizationAction[] = ["AUDIT", "DENY", "ALLOW"];
const actions = { AUDIT: Action.LOG, DENY: Action.DENY, ALLOW: Action.ALLOW };

/** The same object while the policies for the workload are. */
export function authorizationOf(mesh: Mesh, proxy: MeshProxy): Authorization {
  const policies = policiesFor(mesh.authorizationPolicies, mesh.options.rootNamespace, proxy);
  if (policies.length === 0) return nobody;
  return memo(proxy, "authorization", policies, () => {
    const grouped = order.flatMap((action) => {
      const own = policies.filter((it) => it.action === action);
      return own.length > 0 ? [{ action, own }] : [];
    });
    return {
      http: grouped.map(({ action, own }) => httpFilter(rulesOf(action, own, false))),
      tcp: grouped.map(({ action, own }) => networkFilter(rulesOf(action, own, true))),
    };
  });
}

interface FilterRules {
  rules?: Rules;
  shadowRules?: Rules;
}

/** Policies on trial stand beside those in force, and only say what they would do. */
function rulesOf(action: AuthorizationAction, policies: readonly AuthorizationPolicy[], forTcp: boolean): FilterRules {
  const [inForce, onTrial] = [policies.filter((it) => !it.dryRun), policies.filter((it) => it.dryRun)];
  return {
    ...(inForce.length > 0 && { rules: rbac(action, inForce, forTcp) }),
    ...(onTrial.length > 0 && { shadowRules: rbac(action, onTrial, forTcp) }),
  };
}

const rbac = (action: AuthorizationAction, policies: readonly AuthorizationPolicy[], forTcp: boolean): Rules => ({
  action: actions[action],
  policies: Object.fromEntries(
    policies.flatMap((policy) =>
      policy.rules.flatMap((rule, index) => {
        const made = policyOf(rule, policy, forTcp);
        return made ? [[`ns[${policy.namespace}]-policy[${policy.name}]-rule[${index}]`, made] as const] : [];
      }),
    ),
  ),
});

const shadowPrefix = "istio_dry_run_";

const httpFilter = (rules: FilterRules): MessageInitShape<typeof HttpFilterSchema> => ({
  name: "envoy.filters.http.rbac",
  configType: {
    case: "typedConfig",
    value: anyPack(
      HttpRbacSchema,
      create(HttpRbacSchema, { ...rules, ...(rules.shadowRules && { shadowRulesStatPrefix: shadowPrefix }) }),
    ),
  },
});

const networkFilter = (rules: FilterRules): MessageInitShape<typeof FilterSchema> => ({
  name: "envoy.filters.network.rbac",
  configType: {
    case: "typedConfig",
    value: anyPack(
      NetworkRbacSchema,
      create(NetworkRbacSchema, {
        statPrefix: "tcp.",
        ...rules,
        ...(rules.shadowRules && { shadowRulesStatPrefix: shadowPrefix }),
      }),
    ),
  },
});
