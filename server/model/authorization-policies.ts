import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { type Labels, matchesLabels } from "./labels.ts";
import { olderFirst } from "./service.ts";
import type { AuthorizationPolicySpec } from "./specs.ts";

export type AuthorizationAction = "ALLOW" | "DENY" | "AUDIT";

export interface AuthorizationPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly selector: Labels;
  readonly action: AuthorizationAction;
  readonly rules: NonNullable<AuthorizationPolicySpec["rules"]>;
  /** Only looked at: what it would have refused is counted and logged. */
  readonly dryRun: boolean;
}

/** Oldest first, by namespace. */
export type AuthorizationIndex = ReadonlyMap<string, readonly AuthorizationPolicy[]>;

export const indexAuthorizationPolicies = (objects: Iterable<ConfigObject>): AuthorizationIndex =>
  Map.groupBy([...objects].sort(olderFirst).map(resolve), ({ namespace }) => namespace);

/** Those of the root namespace, which are for workloads of every namespace, and those of its own. */
export function policiesFor(
  index: AuthorizationIndex,
  rootNamespace: string,
  workload: { namespace: string; labels: Labels },
): readonly AuthorizationPolicy[] {
  return [...new Set([rootNamespace, workload.namespace])]
    .flatMap((namespace) => index.get(namespace) ?? [])
    .filter(({ selector }) => matchesLabels(selector, workload.labels));
}

const resolve = (object: ConfigObject): AuthorizationPolicy =>
  memo(object, "authorization-policy", [], () => {
    const { selector, action, rules } = object.spec as AuthorizationPolicySpec;
    const { name, namespace, annotations } = object.metadata;
    return {
      name,
      namespace,
      selector: selector?.matchLabels ?? {},
      action: action ?? "ALLOW",
      rules: rules ?? [],
      dryRun: annotations?.["istio.io/dry-run"] === "true",
    };
  });
