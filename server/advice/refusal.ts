import type { RefusalKind } from "../contract/index.ts";

/** What Envoy's response code details, and the bundled sidecar's, say of a call that was refused. */
export interface Refusal {
  readonly kind: Exclude<RefusalKind, "strict">;
  /** Of a `rule`; undefined where another hand named it. */
  readonly rule: PolicyRule | undefined;
}

export interface PolicyRule {
  readonly namespace: string;
  readonly name: string;
  readonly index: number;
}

/**
 * The lines that may be refusals. A TCP connection that RBAC refused is none of a failure's. https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_conn_man/response_code_details
 */
export const refusalLines = [
  { details: "rbac_access_denied" },
  { details: "jwt_authn_access_denied", errorsOnly: true },
  { details: "ext_authz_", errorsOnly: true },
] as const;

/** Undefined: it was not refused, or by nobody of ours. */
export function refusalOf(details: string): Refusal | undefined {
  if (details.startsWith("jwt_authn_access_denied")) return { kind: "token", rule: undefined };
  if (/^ext_authz_(?:denied|error)/.test(details)) return { kind: "provider", rule: undefined };
  if (!details.startsWith("rbac_access_denied")) return undefined;
  const matched = /_matched_policy\[(.*)\]$/.exec(details)?.[1] ?? "none";
  return { kind: matched === "none" ? "no-rule" : "rule", rule: policyRuleOf(matched) };
}

/** `ns[default]-policy[reviews]-rule[0]`, as translation names rules, whatever stands around it. */
function policyRuleOf(name: string): PolicyRule | undefined {
  const [, namespace, policy, index] = /ns\[([^\]]*)\]-policy\[([^\]]*)\]-rule\[(\d+)\]/.exec(name) ?? [];
  return namespace === undefined || policy === undefined
    ? undefined
    : { namespace, name: policy, index: Number(index) };
}
