import { RBAC_Action as Action, type RBAC } from "../../gen/proto/envoy/config/rbac/v3/rbac_pb.js";
import { each } from "../config/problems.ts";
import { compilePolicy } from "./policy.ts";
import { PolicyTable } from "./policy-table.ts";
import type { RbacSubject } from "./subject.ts";

export interface RbacVerdict {
  readonly allowed: boolean;
  /** The policy that decided; "" when none matched. */
  readonly policy: string;
  /** With action LOG: whether a policy matched. */
  readonly logged: boolean;
}

export type RbacEngine = (subject: RbacSubject) => RbacVerdict;

/**
 * Envoy's role-based access control: policies in the order of their names, the first that matches decides.
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
 * Throws Errors naming the fields.
 */
export function compileRbac({ action, policies }: RBAC): RbacEngine {
  const sorted = Object.entries(policies).sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const table = new PolicyTable(
    each(
      "policies",
      sorted,
      ([name, policy]) => ({ name, ...compilePolicy(policy) }),
      ([name]) => JSON.stringify(name),
    ),
  );
  return (subject) => {
    const policy = table.first(subject)?.name ?? "";
    const matched = policy !== "";
    const allowed = action === Action.LOG || matched === (action === Action.ALLOW);
    return { allowed, policy, logged: action === Action.LOG && matched };
  };
}
