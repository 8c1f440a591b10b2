import { isDryRun } from "../config/kinds/index.ts";
import type { ConfigObject } from "../config/object.ts";
import { memo } from "../lib/memo.ts";
import { type Attachment, attachmentOf } from "./policy-attachment.ts";
import { olderFirst } from "./service.ts";
import type { AuthorizationPolicySpec } from "./specs.ts";

export type AuthorizationAction = "ALLOW" | "DENY" | "AUDIT" | "CUSTOM";

export interface AuthorizationPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly attachment: Attachment;
  readonly action: AuthorizationAction;
  /** With CUSTOM: which of the mesh's providers is asked. */
  readonly provider: string;
  readonly rules: NonNullable<AuthorizationPolicySpec["rules"]>;
  /** Only looked at: what it would have refused is counted and logged. */
  readonly dryRun: boolean;
}

/** Oldest first, by namespace. */
export type AuthorizationIndex = ReadonlyMap<string, readonly AuthorizationPolicy[]>;

export const indexAuthorizationPolicies = (objects: Iterable<ConfigObject>): AuthorizationIndex =>
  Map.groupBy([...objects].sort(olderFirst).map(resolve), ({ namespace }) => namespace);

const resolve = (object: ConfigObject): AuthorizationPolicy =>
  memo(object, "authorization-policy", [], () => {
    const spec = object.spec as AuthorizationPolicySpec;
    const { name, namespace, annotations } = object.metadata;
    return {
      name,
      namespace,
      attachment: attachmentOf(namespace, spec),
      action: spec.action ?? "ALLOW",
      provider: spec.provider?.name ?? "",
      rules: spec.rules ?? [],
      dryRun: isDryRun(annotations),
    };
  });
