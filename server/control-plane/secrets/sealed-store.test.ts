import { chmod, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openHostAuthority } from "../../ca/host-authority.ts";
import { openSealer, type Sealer } from "../../ca/sealer.ts";
import { tempFolder } from "../../ca/testing/tls.ts";
import { parseObject } from "../../config/kinds/index.ts";
import type { SecretSpec, SecretStatus } from "../../config/kinds/secret.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import type { ConfigObject } from "../../config/object.ts";
import type { ConfigStore } from "../../config/store.ts";
import { systemClock as clock } from "../../lib/clock.ts";
import { openEntry, sealedStore } from "./sealed-store.ts";

let folder: string;
let clean: () => Promise<void>;
let sealer: Sealer;
let inner: MemoryConfigStore;
let store: ConfigStore;
const key = { kind: "Secret", namespace: "default", name: "a" };

beforeEach(async () => {
  [folder, clean] = await tempFolder();
  sealer = await openSealer(join(folder, "secrets.key"));
  inner = new MemoryConfigStore();
  store = sealedStore(inner, sealer);
});
afterEach(() => clean());

function secret(fields: Record<string, unknown>, metadata: Record<string, unknown> = {}): ConfigObject {
  const parsed = parseObject({ apiVersion: "v1", kind: "Secret", metadata: { name: "a", ...metadata }, ...fields });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}
const put = (object: ConfigObject) => store.commit([{ op: "put", object }], "test");
const dataOf = (object: ConfigObject | undefined) => (object?.spec as SecretSpec | undefined)?.data ?? {};
const opened = async (entry: string) => {
  const object = await inner.get(key);
  return object && openEntry(object, entry, sealer)?.toString();
};

test("what is stored can be opened by the key alone, and what is read is neither value nor sealed text", async () => {
  const annotation = "kubectl.kubernetes.io/last-applied-configuration";
  const applied = JSON.stringify({ kind: "Secret", data: { a: Buffer.from("in data").toString("base64") } });
  const before = await store.revision();
  const commit = await put(
    secret(
      { data: { a: Buffer.from("in data").toString("base64") }, stringData: { b: "as text" } },
      { annotations: { [annotation]: applied } },
    ),
  );
  expect([await opened("a"), await opened("b")]).toEqual(["in data", "as text"]);
  const history = await store.history({ limit: 10 });
  const watched = await store.watch(before, AbortSignal.timeout(5_000))[Symbol.asyncIterator]().next();
  const shown = [await store.get(key), await store.list(), history, commit, watched];
  const raw = [await inner.list(), await inner.history({ limit: 10 })];
  for (const value of ["in data", "as text"].flatMap((it) => [it, Buffer.from(it).toString("base64")])) {
    expect(JSON.stringify(shown)).not.toContain(value);
    expect(JSON.stringify(raw)).not.toContain(value);
  }
  expect(JSON.stringify(shown)).not.toContain("sealed:");
});

test("what was read and is written back keeps its value, also by way of the history; anything else is a new one", async () => {
  await put(secret({ stringData: { a: "first", b: "other" } }));
  const first = await store.get(key);
  if (first === undefined) throw new Error("not stored");
  expect((await put({ ...first, metadata: { ...first.metadata, labels: { x: "y" } } })).changes).toHaveLength(1);
  expect([await opened("a"), await opened("b")]).toEqual(["first", "other"]);
  const same = await put(secret({ stringData: { a: "first", b: "other" } }, { labels: { x: "y" } }));
  expect(same.changes).toEqual([]);
  await put(secret({ stringData: { a: "second" } }));
  expect([await opened("a"), await opened("b")]).toEqual(["second", undefined]);
  expect(dataOf(await store.get(key)).a).not.toBe(dataOf(first).a);
  const { resourceVersion: _, ...metadata } = first.metadata;
  await put({ ...first, metadata }); // as an undo does
  expect([await opened("a"), await opened("b")]).toEqual(["first", "other"]);
  await store.commit([{ op: "delete", key }], "test");
  await put({ ...first, metadata });
  expect(await opened("a")).toBe("first");
});

test("a placeholder of another secret, a sealed text from elsewhere, and one that was changed are refused", async () => {
  await put(secret({ stringData: { a: "first" } }));
  const shown = dataOf(await store.get(key)).a ?? "";
  const sealed = dataOf(await inner.get(key)).a ?? "";
  for (const value of [shown, sealed]) {
    const other = secret({ data: { a: value } }, { name: "other" });
    await expect(store.commit([{ op: "put", object: other }], "test")).rejects.toMatchObject({ code: 422 });
    await expect(put(secret({ data: { another: value } }))).rejects.toMatchObject({ code: 422 });
  }
  const flipped = sealed.slice(0, -8) + (sealed.at(-8) === "A" ? "B" : "A") + sealed.slice(-7);
  await expect(put(secret({ data: { a: flipped } }))).rejects.toMatchObject({ code: 422 });
});

test("certificates are told by what everybody may see of them", async () => {
  const authority = await openHostAuthority(join(folder, "hosts"), { clock, organization: "test" });
  const { chainPem, keyPem, notAfterMs } = await authority.issue({ names: { dns: ["a.test"] }, ttlSec: 3_600 });
  await put(secret({ type: "kubernetes.io/tls", stringData: { "tls.crt": chainPem, "tls.key": keyPem } }));
  const status = (await store.get(key))?.status as SecretStatus;
  expect(status.certificates).toMatchObject([
    { entry: "tls.crt", subjectAltNames: ["DNS:a.test"], notAfter: new Date(notAfterMs).toISOString() },
  ]);
});

test("keys: one file for all who open it, readable by its owner alone; a new one before the old opens both", async () => {
  const path = join(folder, "secrets.key");
  const sealed = sealer.seal(Buffer.from("x"), "here");
  const again = await openSealer(path);
  expect(again.open(sealed, "here")?.toString()).toBe("x");
  expect(again.open(sealed, "there")).toBeUndefined();
  expect(sealer.seal(Buffer.from("x"), "here")).not.toBe(sealed);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  const other = await openSealer(join(folder, "other.key"));
  expect(other.open(sealed, "here")).toBeUndefined();
  await writeFile(path, (await readFile(join(folder, "other.key"), "utf8")) + (await readFile(path, "utf8")));
  const rotated = await openSealer(path);
  expect(rotated.open(sealed, "here")?.toString()).toBe("x");
  expect(other.open(rotated.seal(Buffer.from("y"), "here"), "here")?.toString()).toBe("y");
  await chmod(path, 0o644);
  await expect(openSealer(path)).rejects.toThrow(/chmod 600/);
  await writeFile(path, "short\n");
  await chmod(path, 0o600);
  await expect(openSealer(path)).rejects.toThrow(/not 32 bytes/);
});
