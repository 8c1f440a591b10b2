import { describe, expect, it } from "vitest";
import type { AuthorizationPolicy } from "../model/authorization-policies.ts";
import { inEveryTrustDomain } from "./trust-domains.ts";

const policyWith = (rules: AuthorizationPolicy["rules"]) => ({ rules }) as AuthorizationPolicy;

describe("a policy in every trust domain", () => {
  // Istio's, name by name: pilot/pkg/security/trustdomain.
  it.each<[string, string[], string[], string[]]>([
    ["no alias", ["cluster.local"], ["cluster.local/ns/a/sa/b"], ["cluster.local/ns/a/sa/b"]],
    ["anybody", ["td1", "td2"], ["*"], ["*"]],
    ["any trust domain", ["td1", "td2"], ["*/ns/a/sa/b", "*sa/b"], ["*/ns/a/sa/b", "*sa/b"]],
    ["an alias", ["td2", "td1"], ["td1/ns/a/sa/b"], ["td2/ns/a/sa/b", "td1/ns/a/sa/b"]],
    ["the mesh's own", ["td2", "td1"], ["td2/ns/a/sa/b"], ["td2/ns/a/sa/b", "td1/ns/a/sa/b"]],
    ["cluster.local is whatever it is called", ["td1"], ["cluster.local/ns/a/sa/b"], ["td1/ns/a/sa/b"]],
    [
      "cluster.local as an alias",
      ["td2", "td1", "cluster.local"],
      ["cluster.local/ns/a/sa/b", "td1/ns/c/sa/d"],
      [
        ...["td2/ns/a/sa/b", "td1/ns/a/sa/b", "cluster.local/ns/a/sa/b"],
        ...["td2/ns/c/sa/d", "td1/ns/c/sa/d", "cluster.local/ns/c/sa/d"],
      ],
    ],
    [
      "a trust domain with a star stands for those that it covers",
      ["td2", "foo-td1", "bar-td1"],
      ["*-td1/ns/a/sa/b"],
      ["td2/ns/a/sa/b", "*-td1/ns/a/sa/b"],
    ],
    ["accounts with a star", ["td2", "td1"], ["td1/ns/a/sa/*"], ["td2/ns/a/sa/*", "td1/ns/a/sa/*"]],
    ["a foreign one", ["td1", "td2"], ["elsewhere/ns/a/sa/b"], ["elsewhere/ns/a/sa/b"]],
    ["a part of an id", ["td1", "td2"], ["td1/ns/a/*"], ["td1/ns/a/*"]],
    [
      "one that is there already",
      ["td1", "td2"],
      ["td1/ns/a/sa/b", "td2/ns/a/sa/b"],
      ["td1/ns/a/sa/b", "td2/ns/a/sa/b"],
    ],
  ])("%s", (_, trustDomains, principals, expected) => {
    const rules = [
      {
        from: [{ source: { principals } }, { source: { notPrincipals: principals } }],
        when: [{ key: "source.principal", values: principals, notValues: principals }],
      },
    ];
    expect(inEveryTrustDomain(policyWith(rules), trustDomains).rules).toMatchObject([
      {
        from: [{ source: { principals: expected } }, { source: { notPrincipals: expected } }],
        when: [{ key: "source.principal", values: expected, notValues: expected }],
      },
    ]);
  });

  it("names of trust domains alone", () => {
    const rules = [
      {
        from: [{ source: { trustDomains: ["td1", "x"], notTrustDomains: ["td2"] } }],
        when: [{ key: "source.trustDomain", values: ["*"], notValues: ["td2"] }],
      },
    ];
    expect(inEveryTrustDomain(policyWith(rules), ["td1", "td2"]).rules).toMatchObject([
      {
        from: [{ source: { trustDomains: ["td1", "td2", "x"], notTrustDomains: ["td1", "td2"] } }],
        when: [{ key: "source.trustDomain", values: ["*"], notValues: ["td1", "td2"] }],
      },
    ]);
  });

  it("leaves what is no name of anybody as it is", () => {
    const rules = [
      {
        from: [{ source: { namespaces: ["td1"], serviceAccounts: ["a/b"], requestPrincipals: ["td1/ns/a/sa/b"] } }],
        to: [{ operation: { hosts: ["td1"] } }],
        when: [{ key: "request.auth.principal", values: ["td1/ns/a/sa/b"] }],
      },
    ];
    expect(inEveryTrustDomain(policyWith(rules), ["td1", "td2"]).rules).toMatchObject(rules);
  });
});
