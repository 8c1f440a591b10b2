import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type ConfigStore, ReadOnlyStoreError } from "../../config/store.ts";
import { silentLogger } from "../../lib/logger.ts";
import { UnusableDatabaseError } from "../errors.ts";
import { openDirectoryConfigStore } from "./directory-config-store.ts";

let folder: string;
let store: ConfigStore | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "limpid-directory-"));
});
afterEach(async () => {
  await store?.close();
  store = undefined;
  rmSync(folder, { recursive: true, force: true });
});

const open = async () => {
  store = await openDirectoryConfigStore({ folder, logger: silentLogger, quietMs: 10, intervalMs: 200 });
  return store;
};
const service = (name: string, namespace = "default", port = 80) =>
  `apiVersion: v1\nkind: Service\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: { ports: [{ port: ${port}, name: http }] }\n`;
const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
const services = async (from: ConfigStore) =>
  (await from.list({ kind: "Service" })).items.map(
    ({ metadata, spec }) => `${metadata.namespace}/${metadata.name}:${JSON.stringify(spec).match(/\d+/)?.[0]}`,
  );
const failure = (run: Promise<unknown>): Promise<Error> =>
  run.then(
    () => new Error("it worked"),
    (error: Error) => error,
  );

test("files of a folder and of those below it are the mesh, with the namespaces that they name", async () => {
  mkdirSync(join(folder, "shop"));
  write("a.yaml", `${service("a")}---\n${service("b")}`);
  write("shop/c.yml", service("c", "shop"));
  write(".hidden.yaml", "no yaml: [");
  write("README.md", "no mesh");
  const mesh = await open();
  expect(await services(mesh)).toEqual(["default/a:80", "default/b:80", "shop/c:80"]);
  expect((await mesh.list({ kind: "Namespace" })).items.map(({ metadata }) => metadata.name)).toEqual([
    "default",
    "istio-system",
    "shop",
  ]);
  expect(await mesh.revision()).toBeGreaterThan(1_700_000_000);
});

test("each change is one commit for those who watch; what stays the same stays the same object", async () => {
  write("a.yaml", service("a"));
  write("b.yaml", service("b"));
  const mesh = await open();
  const before = await mesh.get({ kind: "Service", namespace: "default", name: "a" });
  const heard = (async () => {
    for await (const commit of mesh.watch(await mesh.revision(), new AbortController().signal)) return commit;
    return undefined;
  })();
  write("b.yaml", service("b", "default", 81));
  const commit = await heard;
  expect(commit).toMatchObject({
    author: "files",
    changes: [{ type: "MODIFIED", key: { kind: "Service", name: "b" } }],
  });
  expect(await mesh.get({ kind: "Service", namespace: "default", name: "a" })).toBe(before);
  rmSync(join(folder, "b.yaml"));
  await vi.waitFor(async () => expect(await services(mesh)).toEqual(["default/a:80"]), 5_000);
});

test("a file that breaks keeps its objects and is named, until it is whole again; others are taken", async () => {
  write("a.yaml", service("a"));
  const mesh = await open();
  write("a.yaml", "kind: [");
  write("b.yaml", service("b"));
  await vi.waitFor(async () => expect(await services(mesh)).toEqual(["default/a:80", "default/b:80"]), 5_000);
  expect((await failure(mesh.check())).message).toContain("a.yaml:1: is not valid YAML");
  write("c.yaml", service("a", "default", 99));
  await vi.waitFor(
    async () =>
      expect((await failure(mesh.check())).message).toContain(
        "c.yaml: Service/default/a stands in a.yaml, too; that one counts",
      ),
    5_000,
  );
  rmSync(join(folder, "c.yaml"));
  write("a.yaml", service("a", "default", 81));
  await vi.waitFor(async () => expect(await services(mesh)).toEqual(["default/a:81", "default/b:80"]), 5_000);
  await vi.waitFor(() => mesh.check(), 5_000);
});

test("a folder that is gone or empty is no wish; a volume that is swapped by its link is followed", async () => {
  const volume = mkdtempSync(join(tmpdir(), "limpid-volume-"));
  try {
    for (const [name, port] of [
      ["one", 80],
      ["two", 81],
    ] as const) {
      mkdirSync(join(volume, name));
      writeFileSync(join(volume, name, "a.yaml"), service("a", "default", port));
    }
    symlinkSync(join(volume, "one"), join(volume, "current"));
    store = await openDirectoryConfigStore({
      folder: join(volume, "current"),
      logger: silentLogger,
      quietMs: 10,
      intervalMs: 50,
    });
    const mesh = store;
    symlinkSync(join(volume, "two"), join(volume, "next"));
    renameSync(join(volume, "next"), join(volume, "current"));
    await vi.waitFor(async () => expect(await services(mesh)).toEqual(["default/a:81"]), 5_000);
    rmSync(join(volume, "two"), { recursive: true });
    await vi.waitFor(async () => expect((await failure(mesh.check())).message).toContain("can't be read"), 5_000);
    expect(await services(mesh)).toEqual(["default/a:81"]);
    mkdirSync(join(volume, "two"));
    await vi.waitFor(
      async () => expect((await failure(mesh.check())).message).toContain("is empty, and a mesh was in it"),
      5_000,
    );
    expect(await services(mesh)).toEqual(["default/a:81"]);
  } finally {
    await store?.close();
    store = undefined;
    rmSync(volume, { recursive: true, force: true });
  }
});

test("the API may ask what a change would do, and makes none", async () => {
  write("a.yaml", service("a"));
  const mesh = await open();
  const [object] = (await mesh.list({ kind: "Service" })).items;
  const changed = { op: "put" as const, object: { ...object, spec: { ports: [{ port: 90, name: "http" }] } } as never };
  expect((await mesh.commit([changed], "ann", { dryRun: true })).changes).toHaveLength(1);
  const error = await failure(mesh.commit([changed], "ann"));
  expect(error).toBeInstanceOf(ReadOnlyStoreError);
  expect(error.message).toBe(`the mesh is kept in the files of ${folder}: make the change there`);
  expect(await services(mesh)).toEqual(["default/a:80"]);
});

test("a first reading with errors is refused with all of them", async () => {
  write("a.yaml", service("a", "default", 0));
  write("b.yaml", "kind: [");
  const error = await failure(open());
  expect(error).toBeInstanceOf(UnusableDatabaseError);
  expect(error.message).toMatch(/a\.yaml:\d+: spec\.ports\[0\]\.port: .*\n {2}b\.yaml:1: is not valid YAML/s);
  rmSync(folder, { recursive: true });
  expect(await failure(open())).toBeInstanceOf(UnusableDatabaseError);
});
