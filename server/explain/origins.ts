import type { ConfigRule } from "../contract/index.ts";
import type { Metadata } from "../gen/proto/envoy/config/core/v3/base_pb.js";

/**
 * A config object by its path as Istio writes it in metadata and access logs, with `#` and the place in its `spec` where ours knows it:
 * `/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews#http[0]`. Null for anything else.
 */
export function configRuleOf(path: string): ConfigRule | null {
  const [, namespace, kind, name, rule = ""] = /\/namespaces\/([^/]+)\/([^/]+)\/([^/#]+)(?:#(.*))?$/.exec(path) ?? [];
  if (!namespace || !kind || !name) return null;
  const pascal = kind.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return { kind: pascal, namespace, name, rule };
}

/** What translation writes into the metadata of routes, chains and clusters; of Istio's control plane only the object is known. */
export function originOf(metadata: Metadata | undefined): ConfigRule | null {
  const { config, rule } = metadata?.filterMetadata.istio ?? {};
  if (typeof config !== "string") return null;
  return configRuleOf(typeof rule === "string" ? `${config}#${rule}` : config);
}

/** An authorization policy's rule by Istio's name of it: `ns[default]-policy[ratings]-rule[0]`. */
export function policyOrigin(name: string): ConfigRule | null {
  const [, namespace, policy, rule] = /^ns\[(.+)\]-policy\[(.+)\]-rule\[(\d+)\]$/.exec(name) ?? [];
  if (!namespace || !policy || !rule) return null;
  return { kind: "AuthorizationPolicy", namespace, name: policy, rule: `rules[${rule}]` };
}
