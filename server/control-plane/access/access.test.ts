import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Deed } from "../../access/audit.ts";
import { type Caller, machineCaller } from "../../access/caller.ts";
import { DashboardError, type Grant } from "../../contract/index.ts";
import { type ApiHarness, startApi } from "../api/testing/api-harness.ts";
import { apiCallers } from "./api-callers.ts";

let api: ApiHarness;
let deeds: Deed[];
const tokens: Record<string, Caller> = {};
const grants = (text: string): Grant[] =>
  text.split(",").map((one) => {
    const [role, namespace] = one.split("@") as [Grant["role"], string];
    return { role, namespace };
  });

beforeEach(async () => {
  deeds = [];
  for (const [token, given] of Object.entries({
    v: "viewer@*",
    o: "operator@*",
    shop: "operator@shop",
    a: "administrator@*",
  })) {
    tokens[token] = { ...machineCaller(`user-${token}`), way: "token", grants: grants(given) };
  }
  tokens.machine = machineCaller();
  const bearer = async (token: string): Promise<Caller> => {
    const caller = tokens[token];
    if (!caller) throw new DashboardError({ code: "UNAUTHENTICATED", message: "no such token" });
    return caller;
  };
  api = await startApi({ callers: apiCallers({ bearer }), note: async (deed) => void deeds.push(deed) });
  for (const name of ["shop", "other"]) await api.call("POST", "/api/v1/namespaces", { metadata: { name } });
  deeds.length = 0;
});
afterEach(() => api.close());

const rule = (namespace: string) => ({
  apiVersion: "networking.istio.io/v1",
  kind: "VirtualService",
  metadata: { name: "web", namespace },
  spec: { hosts: ["web"], http: [{ route: [{ destination: { host: "web" } }] }] },
});
const rules = (namespace: string) => `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`;
const as = (token: string, more: Record<string, string> = {}) => ({ authorization: `Bearer ${token}`, ...more });
const status = async (method: string, path: string, body: unknown, headers: Record<string, string>) =>
  (await api.call(method, path, body, headers)).status;

describe("who may write where", () => {
  it.each([
    ["v", "shop", 403],
    ["v", "other", 403],
    ["shop", "shop", 201],
    ["shop", "other", 403],
    ["o", "shop", 201],
    ["o", "other", 201],
    ["a", "other", 201],
    ["nobody", "shop", 401],
  ])("%s in %s: %i", async (token, namespace, expected) => {
    expect(await status("POST", rules(namespace), rule(namespace), as(token))).toBe(expected);
    expect(await status("GET", rules(namespace), undefined, as(token))).toBe(token === "nobody" ? 401 : 200);
  });

  it("holds a transaction to every object in it, also when it is tried only", async () => {
    const put = (namespace: string) => ({ op: "put", object: rule(namespace) });
    const both = { writes: [put("shop"), put("other")] };
    expect(await status("POST", "/limpid/v1/transactions", both, as("shop"))).toBe(403);
    expect(await status("POST", "/limpid/v1/transactions?dryRun=true", both, as("shop"))).toBe(403);
    expect(await status("POST", "/limpid/v1/transactions", { writes: [put("shop")] }, as("shop"))).toBe(200);
    expect(await status("POST", "/limpid/v1/transactions", both, as("o"))).toBe(200);
    const { body } = await api.call("GET", "/limpid/v1/changes");
    expect(await status("POST", `/limpid/v1/changes/${body.changes[0].revision}/undo`, {}, as("shop"))).toBe(403);
  });

  it("leaves namespaces and the administration to who has the mesh", async () => {
    expect(await status("POST", "/api/v1/namespaces", { metadata: { name: "mine" } }, as("shop"))).toBe(403);
    expect(await status("POST", "/api/v1/namespaces", { metadata: { name: "mine" } }, as("o"))).toBe(201);
    const join = { namespace: "shop", serviceAccount: "web" };
    for (const token of ["v", "o", "shop"])
      expect(await status("POST", "/limpid/v1/join-tokens", join, as(token))).toBe(403);
    expect(await status("POST", "/limpid/v1/join-tokens", join, as("a"))).toBe(404); // there is no authority here
    expect(await status("DELETE", "/limpid/v1/proxies/x", undefined, as("shop"))).toBe(403);
  });

  it("knows nobody by a cookie, a scheme of its own, or grants that only the machine may name", async () => {
    for (const authorization of ["Basic dXNlcjpwdw==", "Bearer", "Bearer ", "Bearer o o", "o", ""]) {
      expect(await status("GET", rules("shop"), undefined, { authorization }), authorization).toBe(401);
    }
    const claimed = { "x-limpid-grants": "administrator@*", "x-limpid-user": "eve" };
    expect(await status("POST", rules("other"), rule("other"), as("shop", claimed))).toBe(403);
    const less = { "x-limpid-grants": "operator@shop", "x-limpid-user": "ann", "x-limpid-address": "10.1.1.1" };
    expect(await status("POST", rules("other"), rule("other"), as("machine", less))).toBe(403);
    expect(await status("POST", rules("shop"), rule("shop"), as("machine", less))).toBe(201);
    expect(deeds.at(-1)).toMatchObject({ actor: "ann", address: "10.1.1.1", result: "done", action: "config.write" });
    for (const odd of ["", "root@*", "operator", "administrators@*"]) {
      const asked = { ...less, "x-limpid-grants": odd };
      expect(await status("GET", rules("shop"), undefined, as("machine", asked)), odd).toBe(403);
    }
  });

  it("takes the name of whoever is known for the history, and not what they call themselves", async () => {
    await api.call("POST", rules("shop"), rule("shop"), as("shop", { "x-limpid-user": "somebody-else" }));
    const { body } = await api.call("GET", "/limpid/v1/changes");
    expect(body.changes[0].author).toBe("user-shop");
  });
});

describe("the audit", () => {
  it("has each write with who, what and the difference; reads and trials are none", async () => {
    await api.call("POST", rules("shop"), rule("shop"), as("shop"));
    await api.call("POST", `${rules("other")}?dryRun=All`, rule("other"), as("o"));
    await api.call("GET", rules("shop"), undefined, as("o"));
    expect(deeds).toHaveLength(1);
    expect(deeds[0]).toMatchObject({ actor: "user-shop", way: "token", address: "127.0.0.1", result: "done" });
    expect(deeds[0]?.target).toContain("shop/web");
    expect(deeds[0]?.diff).toContain("+    - web");
    await api.call("DELETE", `${rules("shop")}/web`, undefined, {});
    expect(deeds[1]).toMatchObject({ way: "local", result: "done" });
    expect(deeds[1]?.diff).toContain("-    - web");
  });

  it("has what was refused and what failed", async () => {
    await api.call("POST", rules("shop"), rule("shop"), as("v"));
    await api.call("POST", rules("shop"), { ...rule("shop"), spec: { hosts: 7 } }, as("o"));
    expect(deeds.map(({ actor, result, action }) => [actor, result, action])).toEqual([
      ["user-v", "refused", "POST config"],
      ["user-o", "failed", "POST config"],
    ]);
  });
});
