import { expect, it } from "vitest";
import { machineCaller } from "../../access/caller.ts";
import type { ConfigObject } from "../../config/object.ts";
import { type AuditedCall, deedsOfCall } from "./audit-calls.ts";

const object: ConfigObject = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "a", namespace: "shop" },
  spec: {},
};
const commit = {
  revision: 7,
  author: "ann",
  changes: [{ type: "ADDED" as const, key: { kind: "Service", namespace: "shop", name: "a" }, after: object }],
};
const call = (its: Partial<AuditedCall>): AuditedCall => ({
  method: "PUT",
  path: "/x",
  address: "127.0.0.1",
  scope: { caller: machineCaller("ann"), commits: [] },
  author: "",
  dryRun: false,
  isForeign: false,
  ...its,
});
const results = (its: Partial<AuditedCall>) => deedsOfCall(call(its)).map(({ action, result }) => [action, result]);

it("knows what was refused from what failed, and both from what was done", () => {
  const scope = { caller: machineCaller("ann"), commits: [commit] };
  expect(results({ scope })).toEqual([["config.write", "done"]]);
  expect(results({ error: { code: 403, message: "no" } })).toEqual([["PUT config", "refused"]]);
  expect(results({ error: { code: 409, message: "no" } })).toEqual([["PUT config", "failed"]]);
  expect(results({ method: "POST", path: "/limpid/v1/join-tokens" })).toEqual([["join-token.create", "done"]]);
  expect(results({})).toEqual([]);
  expect(results({ method: "GET", scope })).toEqual([]);
});

it("names objects as people do, one without a namespace too", () => {
  const shop: ConfigObject = {
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: "shop", namespace: "" },
    spec: {},
  };
  const key = { kind: "Namespace", namespace: "", name: "shop" };
  const changes = [{ type: "ADDED" as const, key, after: shop }, ...commit.changes];
  const [deed] = deedsOfCall(call({ scope: { caller: undefined, commits: [{ ...commit, changes }] } }));
  expect(deed?.target).toBe("Namespace shop, Service shop/a");
  expect(deed?.diff).toContain("+++ Namespace shop");
});

it("writes down what a call did before it was refused, too, and never that the refused was done", () => {
  const scope = { caller: machineCaller("ann"), commits: [commit] };
  expect(results({ scope, error: { code: 403, message: "no" } })).toEqual([
    ["config.write", "done"],
    ["PUT config", "refused"],
  ]);
  const error = { code: 403, message: "no" };
  expect(results({ method: "POST", path: "/limpid/v1/join-tokens", error })).toEqual([
    ["join-token.create", "refused"],
  ]);
});

it("has what a page of another site asks for, whatever that is, as nobody's", () => {
  const foreign = { isForeign: true, scope: { caller: undefined, commits: [] }, error: { code: 403, message: "no" } };
  for (const method of ["GET", "PUT"]) {
    expect(deedsOfCall(call({ ...foreign, method }))).toMatchObject([
      { actor: "", way: "", action: `${method} config`, target: "/x", result: "refused" },
    ]);
  }
});
