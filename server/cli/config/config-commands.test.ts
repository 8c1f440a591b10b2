import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Command } from "commander";
import { beforeEach, describe, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { reviews, virtualServices } from "../../control-plane/api/testing/api-harness.ts";
import { call, serverUrl } from "./client.ts";
import { registerConfigCommands } from "./register.ts";
import { limpidCommands } from "./testing/limpid-commands.ts";

const cli = limpidCommands();
const { limpid, file } = cli;

describe("limpid apply", () => {
  test("one line per object: created, configured, unchanged", async () => {
    const both = file("both.yaml", reviews({ v1: 100 }), reviews({ v1: 100 }, "ratings"));
    expect(await limpid(`apply -f ${both} --dry-run`)).toMatchObject({
      code: 0,
      out: "virtualservice.networking.istio.io/reviews created (dry run)\nvirtualservice.networking.istio.io/ratings created (dry run)\n",
    });
    expect((await cli.api.store.list({ kind: "VirtualService" })).items).toEqual([]);
    await limpid(`apply -f ${both}`);
    const changed = stringify(reviews({ v1: 50, v2: 50 }));
    expect(await limpid(`apply -f - ${both.replace("both", "none")}`, { stdin: changed })).toMatchObject({ code: 1 });
    const byAnn = { stdin: changed, env: { USER: "ann" } };
    expect(await limpid("apply -f - --reason canary", byAnn)).toMatchObject({
      out: "virtualservice.networking.istio.io/reviews configured\n",
    });
    expect((await limpid("apply -f -", { stdin: changed })).out).toContain("reviews unchanged");
    expect((await cli.api.store.history({ limit: 1 }))[0]).toMatchObject({ author: "ann", reason: "canary" });
  });

  test("takes back what kubectl or the dashboard changed, and leaves alone what the file doesn't name", async () => {
    const path = file("reviews.yaml", reviews({ v1: 100 }));
    await limpid(`apply -f ${path}`);
    const patch = { metadata: { labels: { team: "a" } }, spec: { http: reviews({ v2: 100 }).spec.http } };
    const type = { "content-type": "application/merge-patch+json" };
    await cli.api.call("PATCH", `${virtualServices}/reviews?fieldManager=other`, patch, type);
    expect((await limpid(`apply -f ${path}`)).out).toContain("configured");
    const object = await cli.api.store.get({ kind: "VirtualService", namespace: "default", name: "reviews" });
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
    expect((await cli.api.store.list({ kind: "VirtualService" })).items).toEqual([]);
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
    await cli.api.call("POST", virtualServices, reviews({ v1: 80, v2: 20 }));
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
      env: { LIMPID_SERVER: cli.api.url },
      signal: stop.signal,
    });
    const running = program.parseAsync(["get", "vs", "-w"], { from: "user" });
    await expect.poll(() => output.length).toBe(1);
    await cli.api.call("POST", virtualServices, reviews({ v1: 100 }, "ratings"));
    await expect.poll(() => output[1]).toMatch(/^ratings /);
    stop.abort();
    await running;
  });
});

describe("limpid delete", () => {
  test("by name and by file, all or nothing", async () => {
    for (const name of ["a", "b", "c"]) await cli.api.call("POST", virtualServices, reviews({ v1: 100 }, name));
    const names = async () =>
      (await cli.api.store.list({ kind: "VirtualService" })).items.map((item) => item.metadata.name);
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
    const made = await cli.api.call("POST", virtualServices, reviews({ v1: 100 }));
    await limpid("apply -f -", { stdin: stringify(reviews({ v1: 0, v2: 100 })) });
    const revision = await cli.api.store.revision();
    const first = made.body.metadata.resourceVersion;
    for (const command of ["delete vs reviews", `undo ${revision}`, `restore ${first} vs reviews`]) {
      const { out } = await limpid(`${command} --check`);
      expect(out, command).toContain("a/virtualservice/default/reviews");
      // Nobody serves reviews here: without its rule there is nothing to say of its calls.
      if (!command.startsWith("delete")) expect(out, command).toMatch(/\[0\] .*subset v2 +100 % +0 %/);
    }
    expect(await cli.api.store.revision()).toBe(revision);
  });
});

describe("limpid routes", () => {
  test("rules in words, and none", async () => {
    expect((await limpid("routes reviews")).out).toContain("no VirtualService: calls go to every version alike");
    await cli.api.call("POST", virtualServices, reviews({ v1: 80, v2: 20 }));
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
    expect((await cli.api.store.get(key))?.spec).toEqual(reviews({ v1: 100 }).spec);
    expect((await cli.api.store.history({ limit: 1 }))[0]?.author).toBe("eve");
    expect(await limpid(`undo ${revision}`)).toMatchObject({
      code: 1,
      err: expect.stringContaining("has been changed since"),
    });
    expect((await limpid(`undo ${revision + 1}`)).code).toBe(0);
    expect((await cli.api.store.get(key))?.spec).toEqual(reviews({ v1: 50, v2: 50 }).spec);
  });

  test("--port-offset says whose history it is, whatever the environment says", async () => {
    for (const command of ["history", "undo 1"]) {
      const run = await limpid(`${command} --port-offset 1400`, { env: { LIMPID_SERVER: cli.api.url } });
      expect(run).toMatchObject({
        code: 1,
        err: expect.stringContaining("no control plane answers at http://127.0.0.1:16414"),
      });
    }
  });

  test("--force takes a change back over later ones, and says whose they were", async () => {
    await limpid("apply -f -", { stdin: stringify(reviews({ v1: 100, v2: 0 })) });
    const made = await cli.api.store.revision();
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
    const made = await cli.api.store.revision();
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
  const before = await cli.api.store.revision();
  const run = await limpid(
    `apply -f ${file("large.json", JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }))}`,
  );
  expect(run).toMatchObject({ code: 0, err: "" });
  expect(run.out.split("\n").length).toBe(1501);
  expect(await cli.api.store.revision()).toBe(before + 1);
});

test("get -o name gives names alone, of a list, of one, and none", async () => {
  expect(await limpid("get vs -o name")).toMatchObject({ code: 0, out: "" });
  await limpid(`apply -f ${file("two.yaml", reviews({ v1: 100 }), reviews({ v1: 100 }, "ratings"))}`);
  const names = ["ratings", "reviews"].map((name) => `virtualservice.networking.istio.io/${name}\n`);
  expect((await limpid("get vs -o name")).out).toBe(names.join(""));
  expect((await limpid("get vs reviews -o name")).out).toBe(names[1]);
});
