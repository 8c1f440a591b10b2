import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { type ApiHarness, reviews, startApi, virtualServices } from "../../control-plane/api/testing/api-harness.ts";
import { call, serverUrl } from "./client.ts";
import { registerConfigCommands } from "./register.ts";

const folder = mkdtempSync(join(tmpdir(), "limpid-cli-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let api: ApiHarness;
beforeEach(async () => {
  const service = {
    namespace: "default",
    name: "reviews",
    hostname: "reviews.default.svc.cluster.local",
    external: false,
    ports: [],
    versions: ["v1", "v2"].map((version) => ({ version, subset: null, workloads: [], endpoints: [] })),
    virtualServices: [],
    destinationRules: [],
  };
  api = await startApi({ services: async () => [service] });
});
afterEach(() => api.close());

interface Run {
  code: number;
  out: string;
  err: string;
}

async function limpid(
  args: string,
  options: { stdin?: string; server?: string; signal?: AbortSignal; env?: Record<string, string> } = {},
): Promise<Run> {
  const run: Run = { code: 0, out: "", err: "" };
  const program = new Command("limpid").exitOverride();
  registerConfigCommands(program, {
    out: (text) => {
      run.out += text;
    },
    err: (text) => {
      run.err += text;
    },
    stdin: async () => options.stdin ?? "",
    fail: (code = 1) => {
      run.code = code;
    },
    env: { LIMPID_SERVER: options.server ?? api.url, ...options.env },
    ...(options.signal ? { signal: options.signal } : {}),
  });
  await program.parseAsync(args.split(" "), { from: "user" });
  return run;
}

function file(name: string, ...objects: unknown[]): string {
  const path = join(folder, name);
  writeFileSync(path, objects.map((object) => (typeof object === "string" ? object : stringify(object))).join("---\n"));
  return path;
}

describe("limpid apply", () => {
  test("one line per object: created, configured, unchanged", async () => {
    const both = file("both.yaml", reviews({ v1: 100 }), reviews({ v1: 100 }, "ratings"));
    expect(await limpid(`apply -f ${both} --dry-run`)).toMatchObject({
      code: 0,
      out: "virtualservice.networking.istio.io/reviews created (dry run)\nvirtualservice.networking.istio.io/ratings created (dry run)\n",
    });
    expect((await api.store.list({ kind: "VirtualService" })).items).toEqual([]);
    await limpid(`apply -f ${both}`);
    const changed = stringify(reviews({ v1: 50, v2: 50 }));
    expect(await limpid(`apply -f - ${both.replace("both", "none")}`, { stdin: changed })).toMatchObject({ code: 1 });
    const byAnn = { stdin: changed, env: { USER: "ann" } };
    expect(await limpid("apply -f - --reason canary", byAnn)).toMatchObject({
      out: "virtualservice.networking.istio.io/reviews configured\n",
    });
    expect((await limpid("apply -f -", { stdin: changed })).out).toContain("reviews unchanged");
    expect((await api.store.history({ limit: 1 }))[0]).toMatchObject({ author: "ann", reason: "canary" });
  });

  test("takes back what kubectl or the dashboard changed, and leaves alone what the file doesn't name", async () => {
    const path = file("reviews.yaml", reviews({ v1: 100 }));
    await limpid(`apply -f ${path}`);
    const patch = { metadata: { labels: { team: "a" } }, spec: { http: reviews({ v2: 100 }).spec.http } };
    const type = { "content-type": "application/merge-patch+json" };
    await api.call("PATCH", `${virtualServices}/reviews?fieldManager=other`, patch, type);
    expect((await limpid(`apply -f ${path}`)).out).toContain("configured");
    const object = await api.store.get({ kind: "VirtualService", namespace: "default", name: "reviews" });
    expect(object).toMatchObject({ metadata: { labels: { team: "a" } }, spec: reviews({ v1: 100 }).spec });
  });

  test("every error of every file at once, with its line, and nothing is changed", async () => {
    const good = file("good.yaml", reviews({ v1: 100 }));
    const bad = file("bad.yaml", reviews({ v1: 100 }, "a"), "kind: WasmPlugin\napiVersion: v1\nmetadata: {name: x}\n");
    const worse = file("worse.yaml", stringify(reviews({ v1: 100 }, "b")).replace("hosts:", "hostz:"));
    const run = await limpid(`apply -f ${good} ${bad} ${worse}`);
    expect(run).toMatchObject({ code: 1, out: "" });
    const lines = run.err.trimEnd().split("\n");
    expect(lines[0]).toMatch(/bad\.yaml:\d+: kind: WasmPlugin/);
    expect(lines.some((line) => /worse\.yaml:7: spec\.hostz: unknown field; did you mean hosts\?$/.test(line))).toBe(
      true,
    );
    expect(lines.at(-1)).toMatch(/\d errors; nothing was changed/);
    expect((await api.store.list({ kind: "VirtualService" })).items).toEqual([]);
  });

  test("what only the server can know is told with the file's name", async () => {
    const path = file("shop.yaml", reviews({ v1: 100 }, "reviews", "shop"));
    const run = await limpid(`apply -f ${path}`);
    expect(run).toMatchObject({ code: 1 });
    expect(run.err).toContain(
      `${path}: virtualservice.networking.istio.io/reviews: metadata.namespace: there is no namespace shop`,
    );
  });

  test("no server: one clear sentence", async () => {
    const path = file("reviews.yaml", reviews({ v1: 100 }));
    const run = await limpid(`apply -f ${path}`, { server: "http://127.0.0.1:1" });
    expect(run).toMatchObject({ code: 1 });
    expect(run.err).toMatch(
      /^error: no control plane answers at http:\/\/127\.0\.0\.1:1 \(.*\); is the mesh running\?\n$/,
    );
  });
});

describe("limpid get", () => {
  beforeEach(async () => {
    await api.call("POST", virtualServices, reviews({ v1: 80, v2: 20 }));
  });

  test("table, wide, all namespaces", async () => {
    const plain = (await limpid("get vs")).out.split("\n");
    expect(plain[0]).toMatch(/^NAME +.*AGE$/);
    expect(plain[1]).toMatch(/^reviews /);
    expect((await limpid("get VirtualService reviews -o wide")).out.split("\n")[0]?.length).toBeGreaterThan(
      plain[0]?.length ?? 0,
    );
    expect((await limpid("get virtualservices -A")).out).toMatch(/^NAMESPACE +NAME/);
    expect(await limpid("get dr")).toMatchObject({ out: "", err: "no destinationrules in the namespace default\n" });
  });

  test("yaml and json", async () => {
    expect(parse((await limpid("get vs reviews -o yaml")).out)).toMatchObject({
      spec: reviews({ v1: 80, v2: 20 }).spec,
    });
    const list = JSON.parse((await limpid("get vs -o json")).out);
    expect(list).toMatchObject({ kind: "VirtualServiceList", items: [{ metadata: { name: "reviews" } }] });
    expect(JSON.stringify(list)).not.toContain("managedFields");
  });

  test("errors: unknown kind, unknown name", async () => {
    expect((await limpid("get pods")).err).toContain('there is no kind "pods"');
    expect(await limpid("get vs nothing")).toMatchObject({
      code: 1,
      err: 'error: virtualservices.networking.istio.io "nothing" not found\n',
    });
  });

  test("-w goes on with changes", async () => {
    const stop = new AbortController();
    const output: string[] = [];
    const program = new Command("limpid").exitOverride();
    registerConfigCommands(program, {
      out: (text) => void output.push(text),
      err: () => undefined,
      stdin: async () => "",
      fail: () => undefined,
      env: { LIMPID_SERVER: api.url },
      signal: stop.signal,
    });
    const running = program.parseAsync(["get", "vs", "-w"], { from: "user" });
    await expect.poll(() => output.length).toBe(1);
    await api.call("POST", virtualServices, reviews({ v1: 100 }, "ratings"));
    await expect.poll(() => output[1]).toMatch(/^ratings /);
    stop.abort();
    await running;
  });
});

describe("limpid delete", () => {
  test("by name and by file, all or nothing", async () => {
    for (const name of ["a", "b", "c"]) await api.call("POST", virtualServices, reviews({ v1: 100 }, name));
    const names = async () =>
      (await api.store.list({ kind: "VirtualService" })).items.map((item) => item.metadata.name);
    expect(await limpid("delete vs a nothing")).toMatchObject({ code: 1, out: "" });
    expect(await names()).toEqual(["a", "b", "c"]);
    expect((await limpid("delete vs a b --dry-run")).out).toContain(
      "virtualservice.networking.istio.io/b deleted (dry run)",
    );
    await limpid("delete vs a b");
    expect(await names()).toEqual(["c"]);
    await limpid(`delete -f ${file("c.yaml", reviews({ v1: 1 }, "c"))}`);
    expect(await names()).toEqual([]);
    expect((await limpid("delete")).err).toContain("say what to delete");
  });

  test("--check of a delete, an undo and a restore says who loses traffic, and changes nothing", async () => {
    const made = await api.call("POST", virtualServices, reviews({ v1: 100 }));
    await limpid("apply -f -", { stdin: stringify(reviews({ v1: 0, v2: 100 })) });
    const revision = await api.store.revision();
    const first = made.body.metadata.resourceVersion;
    for (const command of ["delete vs reviews", `undo ${revision}`, `restore ${first} vs reviews`]) {
      const { out } = await limpid(`${command} --check`);
      expect(out, command).toContain("a/virtualservice/default/reviews");
      // Nobody serves reviews here: without its rule there is nothing to say of its calls.
      if (!command.startsWith("delete")) expect(out, command).toMatch(/\[0\] .*subset v2 +100 % +0 %/);
    }
    expect(await api.store.revision()).toBe(revision);
  });
});

describe("limpid routes", () => {
  test("rules in words, and none", async () => {
    expect((await limpid("routes reviews")).out).toContain("no VirtualService: calls go to every version alike");
    await api.call("POST", virtualServices, reviews({ v1: 80, v2: 20 }));
    const { out } = await limpid("routes reviews");
    expect(out).toContain("VirtualService default/reviews");
    expect(out).toMatch(/everything else +v1 80 %, v2 20 %/);
    expect(await limpid("routes nobody")).toMatchObject({
      code: 1,
      err: "error: there is no service nobody in default\n",
    });
  });
});

test.each([
  [{}, {}, "http://127.0.0.1:15014"],
  [{}, { LIMPID_PORT_OFFSET: "100" }, "http://127.0.0.1:15114"],
  [{}, { LIMPID_PORT_OFFSET: "100", LIMPID_SERVER: "http://localhost:1234" }, "http://localhost:1234"],
  [
    { portOffset: "200" },
    { LIMPID_PORT_OFFSET: "100", LIMPID_SERVER: "http://localhost:1234" },
    "http://127.0.0.1:15214",
  ],
  [{ server: "http://localhost:1/" }, { LIMPID_SERVER: "http://localhost:1234" }, "http://localhost:1"],
])("the server by %j and %j is %s", (option, env, url) => {
  expect(serverUrl(option, env)).toBe(url);
});

test.each([
  [{}, { LIMPID_PORT_OFFSET: "many" }, 'port offset "many": must be a whole number'],
  [{ portOffset: "-1" }, {}, 'port offset "-1": must be a whole number'],
  [{ server: "15014" }, {}, "is no http address"],
])("the server by %j and %j is refused", (option, env, message) => {
  expect(() => serverUrl(option, env)).toThrow(message);
});

test("a URL in place of a file is refused with the command that works", async () => {
  const run = await limpid("apply -f https://example.com/mesh.yaml");
  expect(run).toMatchObject({ code: 1, out: "" });
  expect(run.err).toContain("https://example.com/mesh.yaml is a URL");
  expect(run.err).toContain("curl -fsSL https://example.com/mesh.yaml | limpid apply -f -");
});

test("a server that takes the call and never answers is given up on", async () => {
  const silent = createServer(() => undefined);
  await new Promise<void>((done) => silent.listen(0, "127.0.0.1", done));
  const address = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
  try {
    await expect(call(address, "/version", { timeoutMs: 50 })).rejects.toThrow(
      `${address} gave no answer within 0.05 s`,
    );
  } finally {
    silent.closeAllConnections();
    await new Promise((done) => silent.close(done));
  }
});

describe("limpid history and undo", () => {
  test("who changed what; a change is taken back, and the taking back, too", async () => {
    const path = file("reviews.yaml", reviews({ v1: 100 }));
    await limpid(`apply -f ${path}`, { env: { USER: "ann" } });
    await limpid("apply -f - --reason canary", {
      stdin: stringify(reviews({ v1: 50, v2: 50 })),
      env: { USER: "bob", LIMPID_USER: "Bj\u00f6rn" },
    });
    const shown = (await limpid("history -n 2")).out.trimEnd().split("\n");
    expect(shown[0]).toMatch(/^REVISION +TIME +AUTHOR +CHANGE$/);
    expect(shown[1]).toMatch(/^\d+ +\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ +Bj\u00f6rn +.*canary/);
    expect(shown[2]).toMatch(/ ann +/);
    const revision = JSON.parse((await limpid("history -n 1 -o json")).out)[0].revision as number;
    const name = "virtualservice.networking.istio.io/reviews";
    expect(await limpid(`undo ${revision} --dry-run`)).toMatchObject({ code: 0, out: `${name} restored (dry run)\n` });
    expect(await limpid(`undo ${revision}`, { env: { USER: "eve" } })).toMatchObject({
      code: 0,
      out: `${name} restored\n`,
    });
    const key = { kind: "VirtualService", namespace: "default", name: "reviews" };
    expect((await api.store.get(key))?.spec).toEqual(reviews({ v1: 100 }).spec);
    expect((await api.store.history({ limit: 1 }))[0]?.author).toBe("eve");
    expect(await limpid(`undo ${revision}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("has been changed since"),
    });
    expect((await limpid(`undo ${revision + 1}`)).code).toBe(0);
    expect((await api.store.get(key))?.spec).toEqual(reviews({ v1: 50, v2: 50 }).spec);
  });

  test("--port-offset says whose history it is, whatever the environment says", async () => {
    for (const command of ["history", "undo 1"]) {
      const run = await limpid(`${command} --port-offset 1400`, { env: { LIMPID_SERVER: api.url } });
      expect(run).toMatchObject({
        code: 1,
        err: expect.stringContaining("no control plane answers at http://127.0.0.1:16414"),
      });
    }
  });

  test("--force takes a change back over later ones, and says whose they were", async () => {
    await limpid("apply -f -", { stdin: stringify(reviews({ v1: 100, v2: 0 })) });
    const made = await api.store.revision();
    await limpid("apply -f -", { stdin: stringify(reviews({ v1: 0, v2: 100 })), env: { USER: "bob" } });
    expect((await limpid(`undo ${made}`)).err).toContain("has been changed since (bob, revision");
    expect(await limpid(`undo ${made} --force`)).toMatchObject({
      code: 0,
      out: expect.stringContaining("reviews deleted"),
      err: expect.stringContaining("warning: changed since by bob, revision"),
    });
  });

  test("the undo of a creation deletes, of a deletion creates; no such change is one sentence", async () => {
    await limpid(`apply -f ${file("reviews.yaml", reviews({ v1: 100 }))}`);
    const made = await api.store.revision();
    expect((await limpid(`undo ${made}`)).out).toContain("reviews deleted");
    expect((await limpid(`undo ${made + 1}`)).out).toContain("reviews created");
    expect(await limpid("undo 9999")).toMatchObject({
      code: 1,
      err: "error: there is no change 9999 in the history\n",
    });
  });
});

test("apply says what is valid and leads nowhere, of all files together", async () => {
  const service = { apiVersion: "v1", kind: "Service", metadata: { name: "reviews" }, spec: { ports: [{ port: 80 }] } };
  const path = file("shop.yaml", reviews({ v9: 100 }), service);
  const run = await limpid(`apply -f ${path}`);
  expect(run).toMatchObject({
    code: 0,
    out: expect.stringContaining("virtualservice.networking.istio.io/reviews created"),
  });
  expect(run.err).toBe(
    "warning: VirtualService default/reviews: spec.http[0].route[0].destination.subset: no DestinationRule of reviews.default.svc.cluster.local has the subset v9; what goes there is answered 503\n",
  );
});

test("a mesh of thousands of objects and megabytes goes as one change", async () => {
  const objects = Array.from({ length: 1500 }, (_, index) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: `s${index}`, annotations: { note: "x".repeat(1000) } },
    spec: { ports: [{ name: "http", port: 80 }] },
  }));
  const before = await api.store.revision();
  const run = await limpid(
    `apply -f ${file("large.json", JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }))}`,
  );
  expect(run).toMatchObject({ code: 0, err: "" });
  expect(run.out.split("\n").length).toBe(1501);
  expect(await api.store.revision()).toBe(before + 1);
});

test("get -o name gives names alone, of a list, of one, and none", async () => {
  expect(await limpid("get vs -o name")).toMatchObject({ code: 0, out: "" });
  await limpid(`apply -f ${file("two.yaml", reviews({ v1: 100 }), reviews({ v1: 100 }, "ratings"))}`);
  const names = ["ratings", "reviews"].map((name) => `virtualservice.networking.istio.io/${name}\n`);
  expect((await limpid("get vs -o name")).out).toBe(names.join(""));
  expect((await limpid("get vs reviews -o name")).out).toBe(names[1]);
});

describe("the mesh as a whole", () => {
  const shop = { apiVersion: "v1", kind: "Namespace", metadata: { name: "shop" } };
  const names = async (kind: string) =>
    (await api.store.list({ kind })).items.map(({ metadata }) => metadata.name).sort();

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
    const before = await api.store.revision();
    const refused = await limpid(`import -f ${other}`);
    expect(refused).toMatchObject({ code: 1, out: "" });
    expect(refused.err).toContain("namespace/shop is not in the files");
    expect(refused.err).toContain("virtualservice.networking.istio.io/cart in shop is not in the files");
    expect(refused.err).toContain("2 objects would be deleted; say --prune");
    expect(await api.store.revision()).toBe(before);
    const done = await limpid(`import -f ${other} --prune`);
    expect(done.code).toBe(0);
    expect(done.out.trimEnd().split("\n").sort()).toEqual([
      "namespace/shop deleted",
      "virtualservice.networking.istio.io/cart in shop deleted",
      "virtualservice.networking.istio.io/ratings in default created",
      "virtualservice.networking.istio.io/reviews in default configured",
    ]);
    expect(await api.store.revision()).toBe(before + 1);
    expect(await names("Namespace")).toEqual(["default", "istio-system"]);
  });

  test("restored: the whole, a namespace, or one object; an undo takes it back", async () => {
    await limpid(`apply -f ${file("mesh.yaml", shop, reviews({ v1: 100 }), reviews({ v1: 100 }, "cart", "shop"))}`);
    const good = await api.store.revision();
    await limpid(`apply -f ${file("later.yaml", reviews({ v2: 100 }), reviews({ v1: 100 }, "extra"))}`);
    // Written again with nothing else in it: there is nothing to restore.
    const root = await api.store.get({ kind: "Namespace", namespace: "", name: "istio-system" });
    if (root) await api.store.commit([{ op: "put", object: { ...root } }], "ana");
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
    const [commit] = await api.store.history({ limit: 1 });
    expect(commit?.reason).toMatch(new RegExp(`^restore of ${good}: `));
    const { changes } = (await api.call("GET", "/limpid/v1/changes?limit=1")).body;
    expect(changes[0].words[0]).toEqual({ code: "restore", revision: good });
    await limpid(`undo ${commit?.revision}`);
    expect(await names("VirtualService")).toEqual(["cart", "extra", "reviews"]);
  });

  test("restored by time, and what can't be", async () => {
    await limpid(`apply -f ${file("mesh.yaml", reviews({ v1: 100 }))}`);
    const at = (await api.store.history({ limit: 1 }))[0]?.at ?? 0;
    await api.store.commit(
      [{ op: "put", object: { ...reviews({ v2: 100 }), spec: reviews({ v2: 100 }).spec } }],
      "ana",
    );
    const exported = await limpid(`export --at ${new Date(at).toISOString()}`);
    expect(exported.out).toContain((await api.store.history({ limit: 1 }))[0]?.at === at ? "v2" : "v1");
    expect((await limpid("restore 99999")).err).toMatch(/there is no revision 99999: the mesh is at \d+/);
    expect((await limpid("restore yesterday")).err).toContain("error: yesterday is neither a revision nor a time");
    expect((await limpid("restore 1 vs nobody")).err).toContain('"nobody" not found');
    expect((await limpid("restore 1 ns default -n x")).err).toContain("a Namespace is in no namespace");
    expect((await api.call("GET", "/limpid/v1/mesh?revision=1&at=2")).status).toBe(400);
    expect((await api.call("POST", "/limpid/v1/mesh/restore", {})).status).toBe(400);
    expect((await api.call("GET", "/limpid/v1/mesh?kind=Nonsense")).body.message).toContain(
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
    const before = await api.store.revision();
    const run = await limpid(`apply --check -f ${file("canary.yaml", reviews({ v1: 90, v2: 10 }))}`);
    expect(run.code).toBe(2);
    expect(run.out).toMatch(/^\+\s+subset: v2$/m);
    expect(run.out).toMatch(/default\/reviews http\[0\] +all +reviews\S* subset v2 +0 % +10 % +0$/m);
    expect(run.out).toContain("10 % of the requests to reviews.default.svc.cluster.local subset v2");
    expect(await api.store.revision()).toBe(before);
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
