import { describe, expect, it } from "vitest";
import { compilePerFilter } from "../filters/registry.ts";
import { Runtime, runtimeValues } from "../runtime.ts";
import { routesFrom } from "../test-plane.ts";
import { matchRoute, pickTarget } from "./match-route.ts";
import { compileTable } from "./route-set.ts";

const to = (name: string, match: object, route: object = {}) => ({ name, match, route: { cluster: name, ...route } });
const table = (...routes: object[]) =>
  compileTable(
    routesFrom({ name: "t", virtual_hosts: [{ name: "all", domains: ["*"], routes: routes as never }] }),
    compilePerFilter,
  );
const routeOf = (match: object, path: string, headers: string[] = []) =>
  matchRoute(table(to("hit", match)), { authority: "a", path, headers })?.routeName ?? "miss";

describe("paths", () => {
  it.each<[object, string, string]>([
    [{ prefix: "/a" }, "/ab", "hit"],
    [{ prefix: "/a" }, "/A", "miss"],
    [{ prefix: "/A", case_sensitive: false }, "/ab", "hit"],
    [{ path: "/a" }, "/a?b", "hit"],
    [{ path: "/a" }, "/a/", "miss"],
    [{ path_separated_prefix: "/a" }, "/a", "hit"],
    [{ path_separated_prefix: "/a" }, "/a/b?c", "hit"],
    [{ path_separated_prefix: "/a" }, "/ab", "miss"],
    [{ safe_regex: { regex: "/a/\\d+" } }, "/a/12?q", "hit"],
    [{ safe_regex: { regex: "/a/\\d+" } }, "/a/12/b", "miss"],
    [{ prefix: "/a" }, "/x?y=/a", "miss"],
  ])("%j on %s: %s", (match, path, expected) => expect(routeOf(match, path)).toBe(expected));
});

describe("headers and parameters", () => {
  const header = (matcher: object) => ({ prefix: "/", headers: [{ name: "X-A", ...matcher }] });
  it.each<[object, string[], string]>([
    [header({ string_match: { exact: "b" } }), ["x-a", "b"], "hit"],
    [header({ string_match: { exact: "B", ignore_case: true } }), ["x-a", "b"], "hit"],
    [header({ string_match: { contains: "b" } }), ["x-a", "abc"], "hit"],
    [header({ string_match: { suffix: "b" } }), ["x-a", "abc"], "miss"],
    [header({ string_match: { safe_regex: { regex: "b+" } } }), ["x-a", "bb"], "hit"],
    [header({ string_match: { safe_regex: { regex: "b+" } } }), ["x-a", "abb"], "miss"],
    [header({ string_match: { exact: "b" } }), [], "miss"],
    [header({ string_match: { exact: "b" }, invert_match: true }), [], "miss"],
    [header({ string_match: { exact: "b" }, invert_match: true, treat_missing_header_as_empty: true }), [], "hit"],
    [header({ present_match: true }), ["x-a", ""], "hit"],
    [header({ present_match: false }), [], "hit"],
    [header({ present_match: true, invert_match: true }), ["x-a", "b"], "miss"],
    [header({ range_match: { start: "-5", end: "5" } }), ["x-a", "-5"], "hit"],
    [header({ range_match: { start: "-5", end: "5" } }), ["x-a", "5"], "miss"],
    [header({ range_match: { start: "-5", end: "5" } }), ["x-a", "1x"], "miss"],
    [{ prefix: "/", grpc: {} }, ["content-type", "application/grpc+proto"], "hit"],
    [{ prefix: "/", grpc: {} }, ["content-type", "application/grpc-web"], "miss"],
  ])("%j with %j: %s", (match, headers, expected) => expect(routeOf(match, "/", headers)).toBe(expected));
});

it("weights are the runtime's where it has some, as in Envoy", () => {
  const clusters = ["a", "b"].map((name) => ({ name, weight: 50 }));
  const routes = table({
    match: { prefix: "/" },
    route: { weighted_clusters: { runtime_key_prefix: "w", clusters } },
  });
  const action = routes.find("x")?.routes[0]?.action;
  if (action?.kind !== "forward") throw new Error("no route");
  const picked = (layer: object, at: number) => {
    const runtime = new Runtime();
    runtime.setLayer("static", runtimeValues(layer));
    return pickTarget(action, { runtime, random: () => at }).cluster;
  };
  expect([picked({}, 0.49), picked({}, 0.5)]).toEqual(["a", "b"]);
  expect([picked({ "w.a": 0 }, 0), picked({ "w.b": 0 }, 0.99)]).toEqual(["b", "a"]);
  // What they add up to need not be what was configured.
  expect([picked({ w: { a: 300, b: 100 } }, 0.74), picked({ w: { a: 300, b: 100 } }, 0.75)]).toEqual(["a", "b"]);
  expect([picked({ "w.a": "x" }, 0.49), picked({ "w.a": 0, "w.b": 0 }, 0.49)]).toEqual(["a", "a"]);
});

it("the first route wins, shares are honoured, and weights are told", () => {
  const half = { prefix: "/", runtime_fraction: { default_value: { numerator: 50 } } };
  const weighted = {
    name: "rest",
    match: { prefix: "/" },
    route: {
      weighted_clusters: {
        clusters: [
          { name: "v1", weight: 90 },
          { name: "v2", weight: 10 },
        ],
      },
    },
  };
  const routes = table(to("half", half), weighted);
  const request = { authority: "a", path: "/" };
  expect(matchRoute(routes, request, () => 0.49)?.routeName).toBe("half");
  expect(matchRoute(routes, request, () => 0.5)).toMatchObject({ routeName: "rest", cluster: "v1" });
  expect(matchRoute(routes, request, () => 0.95)).toMatchObject({
    virtualHost: "all",
    cluster: "v2",
    weights: [
      { cluster: "v1", share: 0.9 },
      { cluster: "v2", share: 0.1 },
    ],
  });
});

describe("virtual hosts", () => {
  const hosts = [
    ["exact", "a.example", "a.example:81"],
    ["suffix", "*.example"],
    ["long-suffix", "*.b.example"],
    ["prefix", "www.*"],
    ["all", "*"],
  ].map(([name = "", ...domains]) => ({ name, domains, routes: [to(name, { prefix: "/" })] }));
  it.each<[string, string]>([
    ["a.example", "exact"],
    ["A.Example", "exact"],
    ["a.example:81", "exact"],
    ["a.example:82", "all"],
    ["x.example", "suffix"],
    ["x.b.example", "long-suffix"],
    [".example", "all"],
    ["www.example", "suffix"],
    ["www.other", "prefix"],
    ["other", "all"],
  ])("%s: %s", (authority, expected) => {
    const compiled = compileTable(routesFrom({ name: "t", virtual_hosts: hosts as never }), compilePerFilter);
    expect(matchRoute(compiled, { authority, path: "/" })?.virtualHost).toBe(expected);
  });

  it("ports are left out when told to", () => {
    const compiled = compileTable(
      routesFrom({ name: "t", ignore_port_in_host_matching: true, virtual_hosts: hosts as never }),
      compilePerFilter,
    );
    expect(matchRoute(compiled, { authority: "a.example:82", path: "/" })?.virtualHost).toBe("exact");
  });

  it("a domain belongs to one host only", () => {
    const twice = [hosts[0], { ...hosts[0], name: "again" }] as never;
    expect(() => compileTable(routesFrom({ name: "t", virtual_hosts: twice }), compilePerFilter)).toThrow(
      'virtual_hosts[1].domains: "a.example" is already in virtual host "exact"',
    );
  });
});
