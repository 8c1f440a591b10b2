import { readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { reviews, startApi } from "../../control-plane/api/testing/api-harness.ts";
import { limpidCommands } from "./testing/limpid-commands.ts";

const cli = limpidCommands();
const { limpid, file, folder } = cli;

describe("the mesh as a whole", () => {
  const shop = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  const names = async (kind: string) =>
    (await cli.api.store.list({ kind })).items.map(({ metadata }) => metadata.name).sort();

  test("an export is what was there, in an order that can be applied; a folder has a file for each", async () => {
    await limpid(`apply -f ${file("mesh.yaml", shop, reviews({ v1: 100 }), reviews({ v1: 100 }, "cart", "shop"))}`);
    const whole = await limpid("export");
    expect(whole).toMatchObject({ code: 0, err: expect.stringMatching(/^5 objects of revision \d+\n$/) });
    const kinds = whole.out.split("---\n").map((text) => (parse(text) as { kind: string }).kind);
    expect(kinds).toEqual(["Namespace", "Namespace", "Namespace", "VirtualService", "VirtualService"]);
    expect(whole.out).not.toMatch(/resourceVersion|managedFields/);
    const out = join(folder, "exported");
    expect(await limpid(`export -o ${out} -n shop`)).toMatchObject({ code: 0, out: "" });
    expect(readdirSync(out)).toEqual(["01-namespace-shop.yaml", "04-virtualservice-shop-cart.yaml"]);
    expect((await limpid(`export -o ${out}`)).err).toContain(`error: ${out} is not empty`);
    // And it is complete: nothing would change.
    expect(await limpid("import -f -", { stdin: whole.out })).toMatchObject({
      code: 0,
      err: "the mesh is so already\n",
    });
  });

  test("an import deletes nothing that it wasn't told to", async () => {
    await limpid(`apply -f ${file("mesh.yaml", shop, reviews({ v1: 100 }), reviews({ v1: 100 }, "cart", "shop"))}`);
    const other = file("other.yaml", reviews({ v2: 100 }), reviews({ v1: 100 }, "ratings"));
    const before = await cli.api.store.revision();
    const refused = await limpid(`import -f ${other}`);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("namespace/shop is not in the files");
    expect(refused.err).toContain("virtualservice.networking.istio.io/cart in shop is not in the files");
    expect(refused.err).toContain("2 objects would be deleted; say --prune");
    expect(await cli.api.store.revision()).toBe(before);
    const done = await limpid(`import -f ${other} --prune`);
    expect(done.code).toBe(0);
    expect(done.out.trimEnd().split("\n").sort()).toEqual([
      "namespace/shop deleted",
      "virtualservice.networking.istio.io/cart in shop deleted",
      "virtualservice.networking.istio.io/ratings in default created",
      "virtualservice.networking.istio.io/reviews in default configured",
    ]);
    expect(await cli.api.store.revision()).toBe(before + 1);
    expect(await names("Namespace")).toEqual(["default", "istio-system"]);
  });

  test("restored: the whole, a namespace, or one object; an undo takes it back", async () => {
    await limpid(`apply -f ${file("mesh.yaml", shop, reviews({ v1: 100 }), reviews({ v1: 100 }, "cart", "shop"))}`);
    const good = await cli.api.store.revision();
    await limpid(`apply -f ${file("later.yaml", reviews({ v2: 100 }), reviews({ v1: 100 }, "extra"))}`);
    // Written again with nothing else in it: there is nothing to restore.
    const root = await cli.api.store.get({ kind: "Namespace", namespace: "", name: "istio-system" });
    if (root) await cli.api.store.commit([{ op: "put", object: { ...root } }], "ana");
    await limpid("delete ns shop");
    expect((await limpid(`restore ${good} vs cart -n shop`)).err).toContain('namespaces "shop" not found');
    expect(await limpid(`restore ${good} vs reviews --dry-run`)).toMatchObject({
      code: 0,
      out: "virtualservice.networking.istio.io/reviews restored (dry run)\n",
    });
    expect((await limpid(`restore ${good} -n shop`)).out.trimEnd().split("\n").sort()).toEqual([
      "namespace/shop created",
      "virtualservice.networking.istio.io/cart created",
    ]);
    const restored = await limpid(`restore ${good}`);
    expect(restored.out.trimEnd().split("\n").sort()).toEqual([
      "virtualservice.networking.istio.io/extra deleted",
      "virtualservice.networking.istio.io/reviews restored",
    ]);
    expect(await limpid(`restore ${good}`)).toMatchObject({ code: 0, err: "it is so already\n" });
    const [commit] = await cli.api.store.history({ limit: 1 });
    expect(commit?.reason).toMatch(new RegExp(`^restore of ${good}: `));
    const { changes } = (await cli.api.call("GET", "/limpid/v1/changes?limit=1")).body;
    expect(changes[0].words[0]).toEqual({ code: "restore", revision: good });
    await limpid(`undo ${commit?.revision}`);
    expect(await names("VirtualService")).toEqual(["cart", "extra", "reviews"]);
  });

  test("restored by time, and what can't be", async () => {
    await limpid(`apply -f ${file("mesh.yaml", reviews({ v1: 100 }))}`);
    const at = (await cli.api.store.history({ limit: 1 }))[0]?.at ?? 0;
    await cli.api.store.commit(
      [{ op: "put", object: { ...reviews({ v2: 100 }), spec: reviews({ v2: 100 }).spec } }],
      "ana",
    );
    const exported = await limpid(`export --at ${new Date(at).toISOString()}`);
    expect(exported.out).toContain((await cli.api.store.history({ limit: 1 }))[0]?.at === at ? "v2" : "v1");
    expect((await limpid("restore 99999")).err).toMatch(/there is no revision 99999: the mesh is at \d+/);
    expect((await limpid("restore yesterday")).err).toContain("error: yesterday is neither a revision nor a time");
    expect((await limpid("restore 1 vs nobody")).err).toContain('"nobody" not found');
    expect((await limpid("restore 1 ns default -n x")).err).toContain("a Namespace is in no namespace");
    expect((await cli.api.call("GET", "/limpid/v1/mesh?revision=1&at=2")).status).toBe(400);
    expect((await cli.api.call("POST", "/limpid/v1/mesh/restore", {})).status).toBe(400);
    expect((await cli.api.call("GET", "/limpid/v1/mesh?kind=Nonsense")).body.message).toContain(
      "the kinds are Namespace, ",
    );
  });

  test("a diff is what an apply would change, in the form that patch takes, and the code says whether", async () => {
    await limpid(`apply -f ${file("mesh.yaml", reviews({ v1: 100 }))}`);
    expect(await limpid(`diff -f ${file("same.yaml", reviews({ v1: 100 }))}`)).toEqual({ code: 0, out: "", err: "" });
    const run = await limpid(`diff -f ${file("next.yaml", reviews({ v2: 100 }))}`);
    expect(run.code).toBe(1);
    expect(run.out).toContain("--- a/virtualservice/default/reviews\n+++ b/virtualservice/default/reviews\n@@ ");
    expect(run.out).toMatch(/^-\s+subset: v1$/m);
    expect(run.out).toMatch(/^\+\s+subset: v2$/m);
  });
});

describe("limpid apply --check", () => {
  const service = {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "reviews" },
    spec: { ports: [{ name: "http", port: 9080 }], selector: { app: "reviews" } },
  };
  const workload = {
    apiVersion: "networking.istio.io/v1",
    kind: "WorkloadEntry",
    metadata: { name: "reviews-v1" },
    spec: { address: "127.0.1.1", ports: { http: 19080 }, labels: { app: "reviews", version: "v1" } },
  };
  const subsets = {
    apiVersion: "networking.istio.io/v1",
    kind: "DestinationRule",
    metadata: { name: "reviews" },
    spec: { host: "reviews", subsets: ["v1", "v2"].map((version) => ({ name: version, labels: { version } })) },
  };

  test("shows objects and who gets what of the traffic, changes nothing, and fails on what would go nowhere", async () => {
    await limpid(`apply -f ${file("base.yaml", service, workload, subsets, reviews({ v1: 100 }))}`);
    const before = await cli.api.store.revision();
    const run = await limpid(`apply --check -f ${file("canary.yaml", reviews({ v1: 90, v2: 10 }))}`);
    expect(run.code).toBe(2);
    expect(run.out).toMatch(/^\+\s+subset: v2$/m);
    expect(run.out).toMatch(/default\/reviews http\[0\] +all +reviews\S* subset v2 +0 % +10 % +0$/m);
    expect(run.out).toContain("10 % of the requests to reviews.default.svc.cluster.local subset v2");
    expect(await cli.api.store.revision()).toBe(before);
    expect(await limpid(`apply --check -f ${file("same.yaml", reviews({ v1: 100 }))}`)).toEqual({
      code: 0,
      out: "nothing would change\n",
      err: "",
    });
  });
});

test("a history that was cut doesn't pretend to reach back", async () => {
  const small = await startApi({ services: async () => [], maxHistory: 10 });
  try {
    for (let weight = 1; weight <= 15; weight++) {
      const body = { writes: [{ op: "put", object: reviews({ v1: weight, v2: 100 - weight }) }] };
      expect((await small.call("POST", "/limpid/v1/transactions", body)).status).toBe(200);
    }
    const answer = await small.call("GET", "/limpid/v1/mesh?revision=3");
    expect(answer).toMatchObject({
      status: 410,
      body: { message: expect.stringMatching(/reaches back to revision \d+ only/) },
    });
  } finally {
    await small.close();
  }
});
