import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import type { FilterSchema } from "../gen/proto/envoy/config/listener/v3/listener_components_pb.js";
import { RBAC_Action as Action, type RBACSchema } from "../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { RBACSchema as HttpRbacSchema } from "../gen/proto/envoy/extensions/filters/http/rbac/v3/rbac_pb.js";
import type { HttpFilterSchema } from "../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import { RBACSchema as NetworkRbacSchema } from "../gen/proto/envoy/extensions/filters/network/rbac/v3/rbac_pb.js";
import type { AuthorizationPolicy } from "../model/authorization-policies.ts";
import { policyOf } from "./authorization-rules.ts";
import { type Authorizer, checkPrefix, policyPrefix } from "./external-authorization.ts";

type Rules = MessageInitShape<typeof RBACSchema>;

/** Filters before an application, of either kind. */
export interface Authorization {
  readonly http: readonly MessageInitShape<typeof HttpFilterSchema>[];
  readonly tcp: readonly MessageInitShape<typeof FilterSchema>[];
}

/** What is denied goes before what is allowed. https://istio.io/latest/docs/concepts/security/#implicit-enablement */
const order = ["AUDIT", "DENY", "ALLOW"] as const;
const actions = { AUDIT: Action.LOG, DENY: Action.DENY, ALLOW: Action.ALLOW, CUSTOM: Action.DENY };

/** Istio's, by which dashboards find them. https://istio.io/latest/docs/tasks/security/authorization/authz-dry-run/ */
const trialPrefix = {
  AUDIT: "istio_dry_run_audit_",
  DENY: "istio_dry_run_deny_",
  ALLOW: "istio_dry_run_allow_",
  CUSTOM: "istio_dry_run_custom_",
};

/** Whoever a provider has to decide about is asked for first, then come our own rules. */
export function authorizationFilters(
  policies: readonly AuthorizationPolicy[],
  authorizerOf: (provider: string) => Authorizer | undefined,
): Authorization {
  const custom = Map.groupBy(
    policies.filter(({ action }) => action === "CUSTOM"),
    ({ provider }) => provider,
  );
  const asked = [...custom]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([provider, own]) => customFilters(provider, own, authorizerOf(provider)));
  const ruled = order.flatMap((action) => {
    const own = policies.filter((it) => it.action === action);
    return own.length > 0 ? [rbacFilters((forTcp) => rulesOf(action, own, forTcp))] : [];
  });
  const all = [...asked, ...ruled];
  return { http: all.flatMap(({ http }) => http), tcp: all.flatMap(({ tcp }) => tcp) };
}

interface FilterRules {
  rules?: Rules;
  shadowRules?: Rules;
  shadowRulesStatPrefix?: string;
}

const inForce = (policies: readonly AuthorizationPolicy[]) => policies.filter((it) => !it.dryRun);
const onTrial = (policies: readonly AuthorizationPolicy[]) => policies.filter((it) => it.dryRun);

/** Policies on trial stand beside those in force, and only say what they would do. */
function rulesOf(action: keyof typeof actions, policies: readonly AuthorizationPolicy[], forTcp: boolean): FilterRules {
  const [forced, tried] = [inForce(policies), onTrial(policies)];
  return {
    ...(forced.length > 0 && { rules: rbac(action, forced, forTcp) }),
    ...(tried.length > 0 && {
      shadowRules: rbac(action, tried, forTcp),
      shadowRulesStatPrefix: trialPrefix[action],
    }),
  };
}

/**
 * Rules on trial note for the filter behind them which requests the provider is to be asked about. A provider that isn't there (any more) refuses
 * them all, as in Istio. Policies on trial ask nobody: what they would ask about is noted.
 */
function customFilters(
  provider: string,
  policies: readonly AuthorizationPolicy[],
  authorizer: Authorizer | undefined,
): Authorization {
  const forced = inForce(policies);
  const tried = onTrial(policies);
  const trial = tried.length > 0 ? [rbacFilters((forTcp) => rulesOf("CUSTOM", tried, forTcp))] : [];
  if (forced.length === 0) return join(trial);
  if (authorizer === undefined) {
    const suffix = "-deny-due-to-bad-CUSTOM-action";
    const denied = rbacFilters((forTcp) => ({ rules: rbac("CUSTOM", forced, forTcp, { suffix }) }));
    return join([...trial, denied]);
  }
  const prefix = policyPrefix(provider);
  const choice = rbacFilters((forTcp) => ({
    shadowRules: rbac("CUSTOM", forced, forTcp, { prefix }),
    shadowRulesStatPrefix: checkPrefix,
  }));
  const asking = {
    http: [...choice.http, authorizer.http],
    // A provider that speaks HTTP can't be asked about connections.
    tcp: authorizer.tcp ? [...choice.tcp, authorizer.tcp] : [],
  };
  return join([...trial, asking]);
}

const join = (all: readonly Authorization[]): Authorization => ({
  http: all.flatMap(({ http }) => http),
  tcp: all.flatMap(({ tcp }) => tcp),
});

const rbac = (
  action: keyof typeof actions,
  policies: readonly AuthorizationPolicy[],
  forTcp: boolean,
  { prefix = "", suffix = "" } = {},
): Rules => ({
  action: actions[action],
  policies: Object.fromEntries(
    policies.flatMap((policy) =>
      policy.rules.flatMap((rule, index) => {
        const made = policyOf(rule, policy, forTcp);
        const name = `${prefix}ns[${policy.namespace}]-policy[${policy.name}]-rule[${index}]${suffix}`;
        return made ? [[name, made] as const] : [];
      }),
    ),
  ),
});

const rbacFilters = (rules: (forTcp: boolean) => FilterRules): Authorization => ({
  http: [httpFilter(rules(false))],
  tcp: [networkFilter(rules(true))],
});

const httpFilter = (rules: FilterRules): MessageInitShape<typeof HttpFilterSchema> => ({
  name: "envoy.filters.http.rbac",
  configType: { case: "typedConfig", value: anyPack(HttpRbacSchema, create(HttpRbacSchema, rules)) },
});

const networkFilter = (rules: FilterRules): MessageInitShape<typeof FilterSchema> => ({
  name: "envoy.filters.network.rbac",
  configType: {
    case: "typedConfig",
    value: anyPack(NetworkRbacSchema, create(NetworkRbacSchema, { statPrefix: "tcp.", ...rules })),
  },
});
