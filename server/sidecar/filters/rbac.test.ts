import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { eventually, Fixtures, listenerFrom, listenerJson, staticCluster, toCluster } from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const http = "type.googleapis.com/envoy.extensions.filters.http.rbac.v3";
const anybody: JsonObject = { any: true };
const header = (name: string, exact: string): JsonObject => ({ header: { name, string_match: { exact } } });
const path = (prefix: string): JsonObject => ({ url_path: { path: { prefix } } });
const policy = (permission: JsonObject, principal: JsonObject = anybody): JsonObject => ({
  permissions: [permission],
  principals: [principal],
});
const rules = (action: string, policies: Record<string, JsonObject>): JsonObject => ({ rules: { action, policies } });

async function guarded(config: JsonObject, route: JsonObject = {}) {
  const up = await fixtures.http((_, response) => void response.end("in"));
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [up])],
    routes: [{ ...toCluster("up"), ...route }],
    filters: [{ name: "rbac", typed_config: { "@type": `${http}.RBAC`, ...config } }],
  });
  const ask = async (path_: string, headers: Record<string, string> = {}, method = "GET") =>
    (await fetch(`http://127.0.0.1:${test.port}${path_}`, { headers, method })).status;
  return { test, ask };
}

describe("RBAC of requests", () => {
  it("allows what a policy names, and says which denied", async () => {
    const { test, ask } = await guarded(rules("ALLOW", { "ns[a b]": policy(path("/ok"), header("x-team", "blue")) }));
    expect(await ask("/ok", { "x-team": "blue" })).toBe(200);
    expect(await ask("/ok")).toBe(403);
    await eventually(() => test.records.length === 2);
    expect(test.lastRecord).toMatchObject({
      responseCodeDetails: "rbac_access_denied_matched_policy[none]",
      responseFlags: 0,
      upstreamAttempts: 0,
    });
    expect([test.counter("http.test.rbac.allowed"), test.counter("http.test.rbac.denied")]).toEqual([1, 1]);
  });

  it("denies what a policy names, and nothing else", async () => {
    const { test, ask } = await guarded(rules("DENY", { "no admin": policy(path("/admin")) }));
    expect([await ask("/admin/x?y"), await ask("/x?/admin")]).toEqual([403, 200]);
    await eventually(() => test.records.length === 2);
    expect(test.records[0]?.responseCodeDetails).toBe("rbac_access_denied_matched_policy[no_admin]");
  });

  it("allows nobody by no policy, and everybody without rules", async () => {
    expect(await (await guarded(rules("ALLOW", {}))).ask("/")).toBe(403);
    expect(await (await guarded({})).ask("/")).toBe(200);
  });

  it.each<[string, JsonObject, boolean]>([
    ["any", { any: true }, true],
    ["and", { and_rules: { rules: [path("/a"), header(":method", "GET")] } }, true],
    ["and, one wrong", { and_rules: { rules: [path("/a"), header(":method", "PUT")] } }, false],
    ["or", { or_rules: { rules: [path("/b"), path("/a")] } }, true],
    ["not", { not_rule: path("/a") }, false],
    ["path without its query", { url_path: { path: { exact: "/a" } } }, true],
    [
      "authority, whatever its case",
      { header: { name: ":authority", string_match: { prefix: "127", ignore_case: true } } },
      true,
    ],
    ["another port", { destination_port: 1 }, false],
    ["destination", { destination_ip: { address_prefix: "127.0.0.0", prefix_len: 8 } }, true],
    ["server name", { requested_server_name: { exact: "" } }, true],
  ])("permission: %s", async (_, permission, allowed) => {
    const { ask } = await guarded(rules("ALLOW", { p: policy(permission) }));
    expect(await ask("/a?b")).toBe(allowed ? 200 : 403);
  });

  const range = (address_prefix: string, prefix_len: number): JsonObject => ({ address_prefix, prefix_len });
  it.each<[string, JsonObject, boolean]>([
    ["its address", { direct_remote_ip: range("127.0.0.1", 32) }, true],
    ["another address", { direct_remote_ip: range("10.0.0.0", 8) }, false],
    ["who the nearest proxy had it from", { remote_ip: range("10.1.0.0", 16) }, true],
    ["not who anybody claims", { remote_ip: range("9.9.9.9", 32) }, false],
    ["plain text is nobody", { authenticated: {} }, false],
    ["not", { not_id: { authenticated: {} } }, true],
    ["or", { or_ids: { ids: [{ authenticated: {} }, header("x-a", "1")] } }, true],
  ])("principal: %s", async (_, principal, allowed) => {
    const { ask } = await guarded(rules("ALLOW", { p: policy(anybody, principal) }));
    expect(await ask("/", { "x-forwarded-for": "9.9.9.9, 10.1.2.3", "x-a": "1" })).toBe(allowed ? 200 : 403);
  });

  it("tries rules beside those in force", async () => {
    const shadow_rules = { action: "DENY", policies: { trial: policy(anybody) } };
    const { test, ask } = await guarded({ shadow_rules, shadow_rules_stat_prefix: "istio_dry_run_" });
    expect(await ask("/")).toBe(200);
    await eventually(() => test.records.length === 1);
    expect(test.counter("http.test.rbac.istio_dry_run_.shadow_denied")).toBe(1);
    expect(test.lastRecord.dynamicMetadata).toEqual({
      "envoy.filters.http.rbac": {
        istio_dry_run_shadow_engine_result: "denied",
        istio_dry_run_shadow_effective_policy_id: "trial",
      },
    });
  });

  it("gives way to a route's own rules", async () => {
    const perRoute = (rbac?: JsonObject): JsonObject => ({
      typed_per_filter_config: { rbac: { "@type": `${http}.RBACPerRoute`, ...(rbac && { rbac }) } },
    });
    const nobody = rules("ALLOW", {});
    expect(await (await guarded(nobody, perRoute())).ask("/")).toBe(200);
    expect(await (await guarded(nobody, perRoute(rules("ALLOW", { p: policy(path("/a")) })))).ask("/a")).toBe(200);
    expect(await (await guarded(nobody, perRoute(rules("ALLOW", { p: policy(path("/a")) })))).ask("/b")).toBe(403);
  });

  it("refuses what it doesn't know by its path", async () => {
    const test = await fixtures.plane({});
    const bad = {
      p: {
        permissions: [
          { uri_template: { name: "x" } },
          { header: { name: "x", string_match: { safe_regex: { regex: "(" } } } },
        ],
        principals: [anybody],
      },
    };
    const filters = [{ name: "rbac", typed_config: { "@type": `${http}.RBAC`, ...rules("ALLOW", bad as never) } }];
    expect(test.plane.setListener(listenerFrom(listenerJson({ filters })))).toEqual([
      expect.stringContaining('rules.policies["p"].permissions[0].uri_template.typed_config: must be'),
      expect.stringContaining('rules.policies["p"].permissions[1].header.string_match.safe_regex.regex'),
    ]);
  });
});

describe("RBAC of connections", () => {
  const connections = async (rbac: JsonObject) => {
    const up = await fixtures.tcp((socket) => void socket.end("hello"));
    const filters: JsonObject[] = [
      {
        name: "rbac",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.network.rbac.v3.RBAC",
          stat_prefix: "tcp.",
          ...rbac,
        },
      },
      {
        name: "tcp",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
          stat_prefix: "t",
          cluster: "up",
          access_log: [{ name: "test" }],
        },
      },
    ];
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up])],
      listener: { filter_chains: [{ filters }] },
    });
    const client = await fixtures.client(test.port);
    const said = await client.untilEnd();
    client.socket.end();
    await eventually(() => test.records.length === 1);
    return { test, said };
  };

  it("lets in and closes, and the log says why", async () => {
    const from = (address_prefix: string) =>
      rules("ALLOW", { p: policy(anybody, { direct_remote_ip: { address_prefix, prefix_len: 8 } }) });
    const allowed = await connections(from("127.0.0.0"));
    expect([allowed.said, allowed.test.counter("tcp.rbac.allowed")]).toEqual(["hello", 1]);
    const denied = await connections(from("10.0.0.0"));
    expect([denied.said, denied.test.counter("tcp.rbac.denied")]).toEqual(["", 1]);
    expect(denied.test.lastRecord.responseCodeDetails).toBe("rbac_access_denied_matched_policy[none]");
    expect(denied.test.counter("cluster.up.upstream_cx_total")).toBe(0);
  });
});
