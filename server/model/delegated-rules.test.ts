import { describe, expect, it } from "vitest";
import { delegatedRule } from "./delegated-rules.ts";
import type { HTTPMatchRequest, HTTPRoute } from "./specs.ts";

const route = [{ destination: { host: "reviews" } }];
const merged = (root: HTTPMatchRequest[], own: HTTPMatchRequest[]) =>
  delegatedRule({ match: root, delegate: { name: "d" } }, { match: own, route })?.rule.match;

describe("a delegate's match takes no more than its root's", () => {
  const prefix = (text: string) => ({ uri: { prefix: text } });
  const exact = (text: string) => ({ uri: { exact: text } });
  const regex = (text: string) => ({ uri: { regex: text } });
  it.each<[string, HTTPMatchRequest, HTTPMatchRequest, HTTPMatchRequest | undefined]>([
    ["a longer prefix", prefix("/a"), prefix("/a/b"), prefix("/a/b")],
    ["a path below it", prefix("/a"), exact("/a/b"), exact("/a/b")],
    ["a shorter prefix", prefix("/a/b"), prefix("/a"), undefined],
    ["another path", exact("/a"), exact("/b"), undefined],
    ["the same path", exact("/a"), exact("/a"), exact("/a")],
    ["a prefix of a path", exact("/a"), prefix("/a"), undefined],
    ["a regular expression under a prefix", prefix("/a"), regex("/a.*"), undefined],
    ["the same regular expression", regex("/a.*"), regex("/a.*"), undefined],
    [
      "a regular expression where the root asks nothing",
      { method: { exact: "GET" } },
      regex("/a.*"),
      { method: { exact: "GET" }, ...regex("/a.*") },
    ],
    ["a path under the root's regular expression", regex("/a.*"), exact("/a"), undefined],
    ["nothing of its own", regex("/a.*"), {}, regex("/a.*")],
    ["paths of any case where the root's have one", prefix("/a"), { ...prefix("/a"), ignoreUriCase: true }, undefined],
    [
      "another header",
      { headers: { a: { exact: "1" } } },
      { headers: { b: {} } },
      { headers: { a: { exact: "1" }, b: {} } },
    ],
    ["a header with another value", { headers: { a: { exact: "1" } } }, { headers: { a: { exact: "2" } } }, undefined],
    ["a header that the root asks to be there", { headers: { a: {} } }, { headers: { a: { exact: "1" } } }, undefined],
    [
      "a header that must not be there",
      { withoutHeaders: { a: {} } },
      { withoutHeaders: { b: {} } },
      { withoutHeaders: { a: {}, b: {} } },
    ],
    [
      "another value of a query",
      { queryParams: { a: { exact: "1" } } },
      { queryParams: { a: { exact: "2" } } },
      undefined,
    ],
    ["another port", { port: 80 }, { port: 81 }, undefined],
    ["the root's port", { port: 80 }, prefix("/a"), { port: 80, ...prefix("/a") }],
    ["a namespace that the root does not ask for", {}, { sourceNamespace: "a" }, { sourceNamespace: "a" }],
    ["no namespace where the root asks for one", { sourceNamespace: "a" }, prefix("/a"), undefined],
    ["the same namespace", { sourceNamespace: "a" }, { sourceNamespace: "a" }, { sourceNamespace: "a" }],
    ["more labels", { sourceLabels: { a: "1" } }, { sourceLabels: { b: "2" } }, { sourceLabels: { a: "1", b: "2" } }],
    ["other labels", { sourceLabels: { a: "1" } }, { sourceLabels: { a: "2" } }, undefined],
    ["some of the gateways", { gateways: ["n/a", "mesh"] }, { gateways: ["mesh"] }, { gateways: ["mesh"] }],
    ["another gateway", { gateways: ["n/a"] }, { gateways: ["mesh"] }, undefined],
    ["the root's gateways", { gateways: ["n/a"] }, prefix("/a"), { gateways: ["n/a"], ...prefix("/a") }],
    ["what it is counted as", { statPrefix: "r" }, prefix("/a"), { statPrefix: "r", ...prefix("/a") }],
    ["names", { name: "r" }, { name: "o", ...prefix("/a") }, { name: "r-o", ...prefix("/a") }],
  ])("%s", (_, root, own, expected) => {
    expect(merged([root], [own])).toEqual(expected && [expected]);
  });

  it("has each of several under each that it narrows, and one that narrows none makes the rule void", () => {
    const [a, b] = [{ uri: { prefix: "/a" } }, { uri: { prefix: "/b" } }];
    const header = { headers: { x: {} } };
    expect(merged([a, b], [header])).toEqual([
      { ...a, ...header },
      { ...b, ...header },
    ]);
    expect(merged([a, b], [{ uri: { exact: "/b/1" } }])).toEqual([{ uri: { exact: "/b/1" } }]);
    expect(merged([a], [{ uri: { exact: "/a/1" } }, { uri: { exact: "/c" } }])).toBeUndefined();
    expect(merged([], [a])).toEqual([a]);
    expect(merged([a], [])).toEqual([a]);
    expect(merged([], [])).toBeUndefined();
  });
});

describe("what a delegate's rule takes of its root's", () => {
  const said: HTTPRoute = {
    rewrite: { uri: "/" },
    timeout: "1s",
    retries: { attempts: 1 },
    fault: { abort: { httpStatus: 500, percentage: { value: 1 } } },
    mirror: { host: "m" },
    mirrorPercentage: { value: 1 },
    corsPolicy: { allowOrigins: [{ exact: "a" }] },
    headers: { request: { set: { a: "1" } } },
  };

  it("is all that it does not say itself, a field at a time", () => {
    expect(delegatedRule({ ...said, delegate: { name: "d" } }, { route })?.rule).toEqual({ ...said, route });
    const own: HTTPRoute = { ...said, headers: { response: { remove: ["b"] } }, timeout: "2s", route };
    expect(delegatedRule({ ...said, delegate: { name: "d" } }, own)?.rule).toEqual(own);
  });

  it("is its name before its own", () => {
    const name = (root: string, own: string) => delegatedRule({ name: root }, { name: own, route })?.rule.name;
    expect([name("r", "o"), name("r", ""), name("", "o")]).toEqual(["r-o", "r", "o"]);
  });

  it("is no answer of its own beside a redirect", () => {
    const rule = delegatedRule({ directResponse: { status: 503 } }, { redirect: { uri: "/x" } })?.rule;
    expect(rule).toEqual({ directResponse: { status: 503 }, redirect: { uri: "/x" } });
  });
});
