import type { AuthorizationPolicySpec, RequestAuthenticationSpec } from "../../../config/kinds/index.ts";
import { readJsonWebKeys } from "../../../config/kinds/json-web-keys.ts";
import type { ConfigObject } from "../../../config/object.ts";
import { told } from "../../../contract/index.ts";
import { resolveHost } from "../../../model/hostname.ts";
import type { MeshConfigSpec } from "../../../model/specs.ts";
import { trustDomainsOf } from "../../../model/trust-domains.ts";
import { isForeign } from "../../../translate/trust-domains.ts";
import { nearby } from "./destinations.ts";
import type { Facts } from "./facts.ts";
import type { Finding } from "./warning.ts";

/** Keys that should be nobody's but the issuer's: whoever may read the object could sign tokens with them. */
export function* doubtfulTokens({ spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { jwtRules = [] } = spec as RequestAuthenticationSpec;
  const issuers = new Map<string, number>();
  for (const [index, { issuer = "", jwks, jwksUri }] of jwtRules.entries()) {
    const path = `spec.jwtRules[${index}]`;
    const read = jwks === undefined ? undefined : readJsonWebKeys(jwks);
    for (const key of read && "keys" in read ? read.keys : []) {
      if (!key.secret) continue;
      yield { path: `${path}.jwks`, ...told("jwk-secret", { index: key.index }) };
    }
    if (jwksUri?.startsWith("http://") && facts.anywhere(new URL(jwksUri).hostname).length === 0) {
      yield { path: `${path}.jwksUri`, ...told("jwks-plain", {}) };
    }
    const first = issuers.get(issuer);
    if (first === undefined) issuers.set(issuer, index);
    else yield { path: `${path}.issuer`, ...told("issuer-twice", { other: `jwtRules[${first}]` }) };
  }
}

export function* doubtfulPolicy({ spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { action = "ALLOW", provider, rules = [] } = spec as AuthorizationPolicySpec;
  if (provider !== undefined && !facts.mesh.settings.providers.has(provider.name)) {
    const known = [...facts.mesh.settings.providers.keys()].slice(0, 5).join(", ");
    const { name } = provider;
    const missing = known ? told("provider-missing-known", { name, known }) : told("provider-missing", { name });
    yield { path: "spec.provider.name", ...missing };
  }
  const trustDomains = trustDomainsOf(facts.mesh);
  for (const [index, rule] of rules.entries()) {
    for (const [path, principal] of principalsIn(rule)) {
      if (!isForeign(principal, trustDomains)) continue;
      const [own = ""] = trustDomains;
      yield { path: `spec.rules[${index}].${path}`, ...told("principal-foreign", { principal, own }) };
    }
    if (action === "DENY" && isForHttpOnly(rule)) {
      yield { path: `spec.rules[${index}]`, ...told("denies-tcp", {}) };
    }
  }
}

type Rule = NonNullable<AuthorizationPolicySpec["rules"]>[number];

/** Each with its path in the rule. */
const principalsIn = ({ from = [], when = [] }: Rule): [path: string, principal: string][] => [
  ...from.flatMap(({ source }, index) => [
    ...listed(`from[${index}].source.principals`, source.principals),
    ...listed(`from[${index}].source.notPrincipals`, source.notPrincipals),
  ]),
  ...when.flatMap(({ key, values, notValues }, index) =>
    key === "source.principal"
      ? [...listed(`when[${index}].values`, values), ...listed(`when[${index}].notValues`, notValues)]
      : [],
  ),
];

const listed = (path: string, values: readonly string[] = []): [path: string, value: string][] =>
  values.map((value, index) => [`${path}[${index}]`, value]);

/** As Istio finds it: sources or operations of which a TCP filter keeps nothing. */
function isForHttpOnly({ from = [], to = [] }: Rule): boolean {
  const httpSource = /^(?:not)?requestPrincipals$/i;
  const ofTcp = from.some(({ source }) => Object.keys(source).some((key) => !httpSource.test(key)));
  const ports = to.some(({ operation }) => operation.ports !== undefined || operation.notPorts !== undefined);
  return (from.length > 0 && to.length === 0 && !ofTcp) || (to.length > 0 && !ports);
}

/** What targets name and nobody has. */
export function* idleTargets({ metadata, spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { targetRef, targetRefs = [] } = spec as AuthorizationPolicySpec;
  const all = [
    ...(targetRef ? [{ path: "spec.targetRef", target: targetRef }] : []),
    ...targetRefs.map((target, index) => ({ path: `spec.targetRefs[${index}]`, target })),
  ];
  for (const { path, target } of all) {
    if (target.kind === "Gateway" || facts.mesh.objects.get(target.kind)?.has(`${metadata.namespace}/${target.name}`))
      continue;
    const object = `${target.kind} ${metadata.namespace}/${target.name}`;
    yield { path: `${path}.name`, ...told("target-missing", { object }) };
  }
}

/** The mesh's name is in every certificate, and so is given when it starts. */
export function* otherTrustDomain({ spec }: ConfigObject, { mesh }: Facts): Generator<Finding> {
  const { trustDomain: name } = spec as MeshConfigSpec;
  const { trustDomain: own } = mesh.options;
  if (name !== undefined && name !== own)
    yield { path: "spec.trustDomain", ...told("trust-domain-other", { name, own }) };
}

/** Providers that can't be asked as things are. */
export function* unreachableProviders({ spec }: ConfigObject, facts: Facts): Generator<Finding> {
  const { extensionProviders = [] } = spec as MeshConfigSpec;
  const { rootNamespace, domain } = facts.mesh.options;
  for (const [index, { envoyExtAuthzHttp, envoyExtAuthzGrpc }] of extensionProviders.entries()) {
    if (envoyExtAuthzHttp === undefined && envoyExtAuthzGrpc === undefined) continue;
    const field = envoyExtAuthzGrpc ? "envoyExtAuthzGrpc" : "envoyExtAuthzHttp";
    const { service = "" } = envoyExtAuthzGrpc ?? envoyExtAuthzHttp ?? {};
    const slash = service.indexOf("/");
    const host = resolveHost(service.slice(slash + 1), slash < 0 ? rootNamespace : service.slice(0, slash), domain);
    if (facts.anywhere(host).length > 0) continue;
    const near = nearby(host, facts);
    const nobody = near === undefined ? told("provider-host", { host }) : told("provider-host-near", { host, near });
    yield { path: `spec.extensionProviders[${index}].${field}.service`, ...nobody };
  }
}
