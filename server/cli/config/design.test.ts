import { Command } from "commander";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type ApiHarness, reviews, startApi } from "../../control-plane/api/testing/api-harness.ts";
import { registerConfigCommands } from "./register.ts";

let api: ApiHarness;
beforeEach(async () => {
  api = await startApi({ services: async () => [] });
});
afterEach(() => api.close());

async function limpid(args: string, stdin = ""): Promise<{ code: number; out: string; err: string }> {
  const run = { code: 0, out: "", err: "" };
  const program = new Command("limpid").exitOverride();
  registerConfigCommands(program, {
    out: (text) => {
      run.out += text;
    },
    err: (text) => {
      run.err += text;
    },
    stdin: async () => stdin,
    fail: (code = 1) => {
      run.code = code;
    },
    env: { LIMPID_SERVER: api.url },
  });
  await program.parseAsync(args.split(" "), { from: "user" });
  return run;
}

const put = (...objects: object[]) =>
  api.call("POST", "/limpid/v1/transactions", { writes: objects.map((object) => ({ op: "put", object })) });
const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "key", namespace: "default" }, data: {} };

it("keeps the mesh under a name, and puts it in force again as one change that an undo takes back", async () => {
  await put(reviews({ v1: 100 }), secret);
  const saved = await limpid("design save blue");
  expect(saved).toMatchObject({ code: 0, err: "1 Secret or Canary left out\n" });
  expect(saved.out).toMatch(/^blue: \d+ objects kept\n$/);
  expect(await limpid("design diff blue")).toMatchObject({ code: 0, out: "" });

  await put(reviews({ v1: 20, v2: 80 }));
  expect((await limpid("design list")).out).toMatch(/^blue +kept +\d+ +differs in 1/m);
  const diff = await limpid("design diff blue");
  expect(diff.code).toBe(1);
  expect(diff.out).toContain("--- a/virtualservice/default/reviews");

  const before = await api.store.revision();
  expect((await limpid("design apply blue --check")).out).toContain("reviews");
  expect(await api.store.revision()).toBe(before);
  expect((await limpid("design apply blue")).out).toBe("virtualservice.networking.istio.io/reviews configured\n");
  expect(await api.store.revision()).toBe(before + 1);
  expect(await limpid("design apply blue")).toMatchObject({ err: "the mesh is so already\n" });
  await limpid(`undo ${before + 1}`);
  expect((await limpid("design diff blue")).code).toBe(1);
});

it("is no part of the mesh: an export has it not, and restoring the mesh forgets none", async () => {
  await put(reviews({ v1: 100 }));
  const then = await api.store.revision();
  await put(reviews({ v1: 50, v2: 50 }));
  await limpid("design save green");
  expect((await limpid("export")).out).not.toContain("kind: Design");
  await limpid(`restore ${then}`);
  expect((await limpid("design export green")).out).toContain("weight: 50");
  // Whoever means a design gets it back by its kind.
  await limpid("design delete green");
  expect((await limpid("design export green")).err).toMatch(/^error: no design is called green; there are strict-/);
});

it("takes files, refuses a name that is taken, and compares two", async () => {
  const text = JSON.stringify(reviews({ v1: 100 }));
  await limpid("design save one -f -", text);
  expect(await limpid("design save one -f -", text)).toMatchObject({ code: 1 });
  expect(await limpid("design save one --replace -f -", text)).toMatchObject({ code: 0 });
  await limpid("design save two -f -", JSON.stringify(reviews({ v1: 90, v2: 10 })));
  expect((await limpid("design diff one two")).out).toMatch(/^\+ +weight: 10$/m);
});

it("deletes what a design doesn't name only with --prune, and no Secret even then", async () => {
  await put(secret);
  await limpid("design save one -f -", JSON.stringify(reviews({ v1: 100 })));
  await put(reviews({ v1: 100 }), { ...reviews({ v1: 100 }), metadata: { name: "other", namespace: "default" } });
  expect(await limpid("design apply one")).toMatchObject({ err: "the mesh is so already\n" });
  const pruned = await limpid("design apply one --prune --dry-run");
  expect(pruned.out).toContain("virtualservice.networking.istio.io/other deleted (dry run)");
  expect(pruned.out).not.toContain("secret");
});

it("refuses what can be in no design, by its place", async () => {
  const object = {
    ...{ apiVersion: "limpid.dev/v1alpha1", kind: "Design", metadata: { name: "bad" } },
    spec: {
      objects: [secret, { ...reviews({ v1: 100 }), spec: { hosts: 1 } }, reviews({ v1: 1 }), reviews({ v1: 1 })],
    },
  };
  const { status, body } = await put(object);
  expect(status).toBe(422);
  const paths = (body as { errors: { path: string }[] }).errors.map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining([
      expect.stringContaining("spec.objects[0].kind"),
      expect.stringContaining("spec.objects[1].spec.hosts"),
      expect.stringContaining("spec.objects[3]"),
    ]),
  );
});
