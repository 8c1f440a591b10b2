import type { AuthorizationPolicy } from "../model/authorization-policies.ts";

type Rule = AuthorizationPolicy["rules"][number];

/** By which policies name the mesh's own trust domain, whatever it is called. */
const whateverItIsCalled = "cluster.local";

/**
 * The policy with every name of whom it means: whoever is `old/ns/a/sa/b` is `new/ns/a/sa/b`, too, where one is an alias of the other.
 * https://istio.io/latest/docs/tasks/security/authorization/authz-td-migration/
 */
export const inEveryTrustDomain = (
  policy: AuthorizationPolicy,
  trustDomains: readonly string[],
): AuthorizationPolicy => ({ ...policy, rules: policy.rules.map((rule) => ruleIn(rule, trustDomains)) });

function ruleIn({ from, to, when }: Rule, trustDomains: readonly string[]): Rule {
  const principals = expandedBy((value) => principalIn(value, trustDomains));
  const domains = expandedBy((value) => (trustDomains.includes(value) ? trustDomains : [value]));
  const byKey: Record<string, typeof principals> = { "source.principal": principals, "source.trustDomain": domains };
  return {
    from: from?.map(({ source }) => ({
      source: {
        ...source,
        principals: principals(source.principals),
        notPrincipals: principals(source.notPrincipals),
        trustDomains: domains(source.trustDomains),
        notTrustDomains: domains(source.notTrustDomains),
      },
    })),
    to,
    when: when?.map((condition) => {
      const { key, values, notValues } = condition;
      const expanded = byKey[key];
      return expanded ? { ...condition, values: expanded(values), notValues: expanded(notValues) } : condition;
    }),
  };
}

/** What each value stands for, every name once. */
const expandedBy =
  (expand: (value: string) => readonly string[]) =>
  (values: readonly string[] | undefined): string[] | undefined =>
    values && [...new Set(values.flatMap(expand))];

/** Whether a principal names a trust domain of whose certificates the mesh takes none. */
export const isForeign = (principal: string, trustDomains: readonly string[]): boolean => {
  const named = trustDomainOf(principal);
  return named !== undefined && !isOurs(named, trustDomains);
};

/** `*` and what is no whole id, such as one that begins in the middle, ask for no trust domain; a foreign one stays what it is. */
function principalIn(principal: string, trustDomains: readonly string[]): readonly string[] {
  const named = trustDomainOf(principal);
  if (named === undefined || !isOurs(named, trustDomains)) return [principal];
  return trustDomains.map((domain) => (covers(named, domain) ? principal : domain + principal.slice(named.length)));
}

function trustDomainOf(principal: string): string | undefined {
  const [named = "", ...rest] = principal.split("/");
  return rest.length === 4 && named !== "*" ? named : undefined;
}

const isOurs = (named: string, trustDomains: readonly string[]): boolean =>
  named === whateverItIsCalled || trustDomains.some((domain) => covers(named, domain));

const covers = (named: string, domain: string): boolean =>
  named.startsWith("*") ? domain.endsWith(named.slice(1)) : named === domain;
