import { describe, expect, it } from "vitest";
import { randomFrom } from "../lib/testing/random.ts";
import { checkCalls } from "./check.ts";
import { policyObject, proposePolicy } from "./propose.ts";
import type { RecordedCall } from "./recorded-call.ts";
import { call, identity, meshOf, reviews } from "./testing/calls.ts";

const target = { namespace: "default", name: "reviews", selector: { app: "reviews" } };

const refusedBy = (calls: readonly RecordedCall[], others: readonly RecordedCall[]) => {
  const mesh = meshOf(policyObject(proposePolicy(target, calls)));
  return checkCalls(meshOf(), mesh, [reviews], others);
};

describe("a proposal", () => {
  it("names callers, ports, methods and paths, with the calls behind each rule", () => {
    const calls = [
      call({ path: "/reviews/0" }),
      call({ path: "/reviews/7", atMs: 1_700_000_001_000 }),
      call({ path: "/reviews/8" }),
      call({ path: "/health", method: "HEAD" }),
      call({ caller: "default/audit-v1", identity: identity("audit"), method: "POST", path: "/log" }),
    ];
    const { rules, yaml } = proposePolicy(target, calls);
    expect(rules).toMatchObject([
      {
        principals: ["cluster.local/ns/default/sa/productpage"],
        operations: [
          { port: 9080, methods: ["GET"], paths: ["/reviews/{*}"] },
          { port: 9080, methods: ["HEAD"], paths: ["/health"] },
        ],
        generalised: [{ template: "/reviews/{*}", paths: 3 }],
        asSeen: 1,
        calls: 4,
        firstAt: 1_700_000_000_000,
        lastAt: 1_700_000_001_000,
      },
      { principals: ["cluster.local/ns/default/sa/audit"], operations: [{ methods: ["POST"], paths: ["/log"] }] },
    ]);
    expect(yaml).toContain("paths:\n              - /reviews/{*}");
  });

  it("lets nobody who read many things delete more than the one that they deleted", () => {
    const reads = Array.from({ length: 5 }, (_, i) => call({ path: `/reviews/${i}` }));
    const calls = [...reads, call({ method: "DELETE", path: "/reviews/3" })];
    expect(proposePolicy(target, calls).rules[0]?.operations).toEqual([
      { port: 9080, methods: ["DELETE"], paths: ["/reviews/3"] },
      { port: 9080, methods: ["GET"], paths: ["/reviews/{*}"] },
    ]);
    expect(refusedBy(calls, [call({ method: "DELETE", path: "/reviews/4" })]).wouldRefuse).toBe(1);
    expect(refusedBy(calls, [call({ path: "/reviews/99" })]).wouldRefuse).toBe(0);
  });

  it("makes one rule of callers that need the same", () => {
    const { rules } = proposePolicy(target, [call(), call({ identity: identity("other"), caller: "default/other" })]);
    expect(rules).toHaveLength(1);
    expect(rules[0]?.principals).toHaveLength(2);
  });

  it("knows TCP by principals and ports alone", () => {
    const { rules } = proposePolicy(target, [call({ protocol: "tcp", method: "", path: "", port: 3306, code: 0 })]);
    expect(rules[0]?.operations).toEqual([{ port: 3306, methods: [], paths: [] }]);
  });

  it.each([
    ["plain-text", { mtls: false, identity: undefined }],
    ["identity-unknown", { identity: undefined }],
    ["refused", { refused: true, code: 403 }],
    ["client-errors", { code: 404 }],
    ["facts-missing", { port: undefined }],
    ["facts-missing", { path: "" }],
  ] as const)("leaves out, because %s", (reason, its) => {
    const { rules, leftOut } = proposePolicy(target, [call(its)]);
    expect(rules).toEqual([]);
    expect(leftOut).toMatchObject([{ reason, calls: 1, caller: "default/productpage-v1" }]);
  });

  it("lets probes in besides, by a rule of their own, and has none where nothing is probed", () => {
    const at = [
      { port: 9080, path: "/health" },
      { port: 9080, path: "/health" },
      { port: 9080, path: "/a*" },
    ];
    const { rules, yaml } = proposePolicy(target, [call({})], { probes: { principal: "cluster.local/*", at } });
    expect(rules).toHaveLength(2);
    expect(rules[1]).toMatchObject({
      principals: ["cluster.local/*"],
      operations: [{ port: 9080, methods: ["GET"], paths: ["/health"] }],
      probes: true,
      calls: 0,
    });
    expect(yaml).toContain("/health");
    expect(proposePolicy(target, [call({})], { probes: { principal: "cluster.local/*", at: [] } }).rules).toHaveLength(
      1,
    );
  });

  it("lets in each call that it was made from, by the sidecar's matcher, and no stranger", () => {
    const below = randomFrom(42);
    const oneOf = <T>(list: readonly [T, ...T[]]): T => list[below(list.length)] ?? list[0];
    const segment = () =>
      oneOf(["reviews", "v1", String(below(1e9)), "a.b", "~x", "Aa1", "%7Bx%7D", "*", "{a}", "", "deadbeef99", "ü"]);
    for (let round = 0; round < 60; round++) {
      const calls = Array.from({ length: 1 + below(60) }, () =>
        call({
          identity: identity(oneOf(["a", "b", "c"])),
          method: oneOf(["GET", "POST", "PUT"]),
          path: `/${Array.from({ length: below(5) }, segment).join("/")}`,
          port: oneOf([9080, 9090]),
        }),
      );
      const meant = calls.filter(({ path }) => !/[*{}]/.test(path));
      const { wouldRefuse, undecided, judged, refused } = refusedBy(calls, meant);
      expect({ wouldRefuse, undecided, refused }).toEqual({ wouldRefuse: 0, undecided: 0, refused: [] });
      expect(judged).toBe(meant.length);
      const left = proposePolicy(target, calls).leftOut.reduce((sum, one) => sum + one.calls, 0);
      expect(left).toBe(calls.length - meant.length);
      const stranger = call({ identity: identity("stranger"), path: calls[0]?.path ?? "/" });
      expect(refusedBy(calls, [stranger]).wouldRefuse).toBe(1);
    }
  });
});
