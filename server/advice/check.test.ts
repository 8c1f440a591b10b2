import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { checkCalls, createChecker, inForce } from "./check.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { call, identity, meshOf, policy, reviews } from "./testing/calls.ts";

const check = (object: ConfigObject, ...calls: RecordedCall[]) =>
  checkCalls(meshOf(), meshOf(inForce(object)), [reviews], calls);
const from = (source: object) => [{ from: [{ source }] }];

describe("a policy against recorded calls", () => {
  it("says which it would have refused, with caller, path, rule and time; alike ones together", () => {
    const deny = policy({ action: "DENY", rules: [{ to: [{ operation: { paths: ["/admin*"] } }] }] });
    const calls = [call({ path: "/admin/x", atMs: 5 }), call({ path: "/admin/x", atMs: 9 }), call()];
    expect(check(deny, ...calls)).toMatchObject({
      judged: 3,
      wouldRefuse: 2,
      undecided: 0,
      refused: [{ caller: "default/productpage-v1", path: "/admin/x", at: 9, calls: 2, rule: "default/p rules[0]" }],
    });
  });

  it("is asked again as calls come, and says of all of them what it would of each alone", () => {
    const deny = policy({ action: "DENY", rules: [{ to: [{ operation: { paths: ["/admin"] } }] }] });
    const ask = createChecker(meshOf(), meshOf(inForce(deny)), [reviews]);
    const calls = [call({ path: "/admin" }), call({ path: "/admin", refused: true }), call()];
    expect(ask(calls)).toEqual(check(deny, ...calls));
    const more = [
      ...calls,
      call({ path: "/admin", atMs: 9, authority: "other" }),
      call({ path: "/admin", mtls: false }),
    ];
    expect(ask(more)).toEqual(check(deny, ...more));
    expect(ask(more)).toMatchObject({ judged: 5, wouldRefuse: 3, already: 1 });
    expect(ask([])).toMatchObject({ judged: 0, wouldRefuse: 0, refused: [] });
  });

  it("names the policies of which none allows", () => {
    const allow = policy({ rules: from({ principals: ["cluster.local/ns/default/sa/audit"] }) });
    expect(check(allow, call()).refused).toMatchObject([{ rule: "default/p" }]);
    expect(check(allow, call({ identity: identity("audit") })).wouldRefuse).toBe(0);
    expect(check(allow, call({ mtls: false, identity: undefined })).wouldRefuse).toBe(1);
  });

  it("takes a policy on trial as if it were in force", () => {
    expect(check(policy({ rules: [] }, { annotations: { "istio.io/dry-run": "true" } }), call()).wouldRefuse).toBe(1);
  });

  it("does not count what was refused when it came, or is by what is in force", () => {
    const nobody = policy({ rules: [] });
    expect(check(nobody, call({ refused: true, code: 403 }))).toMatchObject({ wouldRefuse: 0, already: 1 });
    const before = meshOf(policy({ action: "DENY", rules: [{}] }, { name: "before" }));
    expect(checkCalls(before, meshOf(nobody), [reviews], [call()])).toMatchObject({ wouldRefuse: 0, already: 1 });
  });

  it.each([
    ["claims", { rules: [{ when: [{ key: "request.auth.claims[group]", values: ["x"] }] }] }, "request.auth"],
    ["no claims", { action: "DENY", rules: from({ notRequestPrincipals: ["*"] }) }, "request.auth"],
    ["a header", { rules: [{ when: [{ key: "request.headers[x-a]", values: ["x"] }] }] }, "header x-a"],
    ["an address", { rules: from({ ipBlocks: ["10.0.0.0/8"] }) }, "source.ip"],
    ["no address", { action: "DENY", rules: from({ notIpBlocks: ["10.0.0.0/8"] }) }, "source.ip"],
    ["a server name", { rules: [{ when: [{ key: "connection.sni", values: ["x"] }] }] }, "connection.sni"],
  ])("can't judge by %s", (_, spec, missing) => {
    expect(check(policy(spec), call())).toMatchObject({ wouldRefuse: 0, undecided: 1, missing: [missing] });
  });

  it("judges where what is missing does not matter", () => {
    const rules = [{ ...from({ ipBlocks: ["10.0.0.0/8"] })[0], to: [{ operation: { paths: ["/other"] } }] }];
    expect(check(policy({ rules }), call())).toMatchObject({ wouldRefuse: 1, undecided: 0 });
    const either = [...from({ ipBlocks: ["10.0.0.0/8"] }), ...from({ namespaces: ["default"] })];
    expect(check(policy({ rules: either }), call())).toMatchObject({ wouldRefuse: 0, undecided: 0 });
  });

  it("can't judge who has no name by names, nor a port that was not told by ports", () => {
    const byName = policy({ rules: from({ principals: ["cluster.local/ns/default/sa/audit"] }) });
    expect(check(byName, call({ identity: undefined }))).toMatchObject({ undecided: 1, missing: ["principal"] });
    const byPort = policy({ rules: [{ to: [{ operation: { ports: ["9080"] } }] }] });
    expect(check(byPort, call({ port: undefined }))).toMatchObject({ undecided: 1, missing: ["destination.port"] });
  });

  it("lets a provider decide what it is asked about", () => {
    const provider = { name: "MeshConfig" };
    const custom = policy({ action: "CUSTOM", provider, rules: [{ to: [{ operation: { paths: ["/reviews/*"] } }] }] });
    expect(check(custom, call({ path: "/other" }))).toMatchObject({ wouldRefuse: 0 });
  });

  it("knows connections by what they show", () => {
    const tcp = call({ protocol: "tcp", method: "", path: "", port: 3306 });
    const allow = policy({ rules: [{ to: [{ operation: { ports: ["3306"] } }] }] });
    expect(check(allow, tcp).wouldRefuse).toBe(0);
    expect(check(allow, { ...tcp, port: 3307 }).wouldRefuse).toBe(1);
  });
});
