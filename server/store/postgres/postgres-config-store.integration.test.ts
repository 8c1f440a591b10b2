import { resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { describeConfigStore } from "../../config/store.contract.ts";
import { type ConfigStore, StorageError } from "../../config/store.ts";
import { MigrationError, UnusableDatabaseError } from "../errors.ts";
import { openPostgresConfigStore } from "./postgres-config-store.ts";
import { findPostgres, type PostgresServer, startPostgres } from "./testing/postgres-server.ts";

const migrations = resolve(import.meta.dirname, "../../../prisma/config-postgres/migrations");
const binaries = findPostgres();
if (binaries === undefined && process.env.CI) throw new Error("PostgreSQL is not installed, and CI is set");
if (binaries === undefined) console.warn("skipped: PostgreSQL (initdb, postgres) is not installed");

describe.skipIf(binaries === undefined)("on a PostgreSQL server", () => {
  let server: PostgresServer;
  let count = 0;
  const stores: ConfigStore[] = [];
  beforeAll(async () => {
    server = await startPostgres(binaries ?? "");
  });
  afterAll(async () => {
    for (const store of stores) await store.close();
    await server.stop();
  });

  async function open(url: string, options: object = {}): Promise<ConfigStore> {
    const store = await openPostgresConfigStore({ ...options, url, migrations });
    stores.push(store);
    return store;
  }
  const put = (name: string) => ({
    op: "put" as const,
    object: { apiVersion: "v1", kind: "Namespace", metadata: { name, namespace: "" }, spec: {} },
  });
  const names = async (store: ConfigStore) => (await store.list()).items.map(({ metadata }) => metadata.name);
  const failure = (run: Promise<unknown>): Promise<Error> =>
    run.then(
      () => new Error("it worked"),
      (error: Error) => error,
    );

  describeConfigStore("PostgreSQL", () => {
    let first: string | undefined;
    return {
      async open(options) {
        const url = await server.database(`contract_${++count}`);
        first ??= url;
        return openPostgresConfigStore({ ...options, url, migrations });
      },
      reopen: (options) => openPostgresConfigStore({ ...options, url: first ?? "", migrations }),
      cleanup: async () => undefined,
    };
  });

  test("several stores take turns, and a watch hears what the others commit", async () => {
    const url = await server.database("several");
    const [first, second] = (await Promise.all([open(url), open(url)])) as [ConfigStore, ConfigStore];
    const start = await first.revision();
    const heard = (async () => {
      const seen: number[] = [];
      for await (const { revision } of first.watch(start, new AbortController().signal)) {
        if (seen.push(revision) === 10) return seen;
      }
      return seen;
    })();
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? first : second).commit([put(`n${index}`)], "ann")),
    );
    expect(await heard).toEqual(Array.from({ length: 10 }, (_, index) => start + 1 + index));
    expect(await names(first)).toEqual(await names(second));
    expect(await names(first)).toHaveLength(10);
  });

  test("a server that goes away and comes back is used again, by watches too", async () => {
    const store = await open(await server.database("restarted"));
    await store.commit([put("a")], "ann");
    let revision = await store.revision();
    const heard = (async () => {
      for (;;) {
        try {
          for await (const commit of store.watch(revision, new AbortController().signal)) {
            revision = commit.revision;
            if (commit.changes[0]?.key.name === "b") return;
          }
        } catch (error) {
          expect(error).toBeInstanceOf(StorageError); // whoever follows comes back
        }
      }
    })();
    await server.restart();
    for (;;) {
      const error = await failure(store.commit([put("b")], "ann"));
      if (error.message === "it worked") break;
      expect(error).toBeInstanceOf(StorageError);
    }
    await heard;
    expect(await names(store)).toEqual(["a", "b"]);
  });

  test("what can't be written says why, in PostgreSQL's words, and the password is not among them", async () => {
    const url = (await server.database("broken")).replace("limpid@", "limpid:secret@");
    const store = await open(url);
    await store.commit([put("a")], "ann");
    await server.query(url, 'ALTER TABLE "change" RENAME TO "elsewhere"');
    const error = await failure(store.commit([put("b")], "ann"));
    expect(error).toBeInstanceOf(StorageError);
    expect(error.message).toMatch(
      /^the config database postgres:\/\/127\.0\.0\.1:\d+\/broken can't be written \(42P01: .*\); nothing was changed$/,
    );
    expect(await names(store)).toEqual(["a"]);
    await store.check();
    await server.query(url, 'ALTER TABLE "elsewhere" RENAME TO "change"');
    await store.commit([put("b")], "ann");
  });

  test("a backup that is put back is followed, another mesh in its place is not", async () => {
    const url = await server.database("replaced");
    const store = await open(url);
    await store.commit([put("a")], "ann");
    const revision = await store.revision();
    await store.commit([put("b")], "ann");
    await server.query(
      url,
      `DELETE FROM "commit" WHERE "revision" > ${revision}; DELETE FROM "resource" WHERE "name" = 'b'; UPDATE "state" SET "revision" = ${revision}`,
    );
    expect(await names(store)).toEqual(["a"]);
    const ended = failure(
      (async () => {
        for await (const _ of store.watch(revision + 1, new AbortController().signal)) expect.unreachable();
      })(),
    );
    expect((await ended).message).toContain("is not of this store");
    await store.commit([put("c")], "ann");
    expect(await names(store)).toEqual(["a", "c"]);

    await server.query(url, `UPDATE "state" SET "identity" = 'other'`);
    expect((await failure(store.list())).message).toContain("is of another mesh (other)");
    expect((await failure(store.commit([put("d")], "ann"))).message).toContain("nothing was changed");
    await server.query(url, `DELETE FROM "state"`);
    expect((await failure(store.list())).message).toContain("was emptied, while it is in use");
  });

  test("a reader that is far behind begins anew", async () => {
    const url = await server.database("behind");
    const [reader, writer] = (await Promise.all([open(url), open(url, { maxHistory: 10 })])) as [
      ConfigStore,
      ConfigStore,
    ];
    expect(await names(reader)).toEqual([]);
    for (let step = 0; step < 60; step++) await writer.commit([put(`n${step}`)], "ann");
    expect(await names(reader)).toHaveLength(60);
  });

  test("a database of another mesh, an empty one where a mesh was, and one of a newer version are refused", async () => {
    const url = await server.database("identity");
    let mesh = "";
    await open(url, { onMesh: (given: string) => (mesh = given) });
    await open(url, { mesh });
    expect(await failure(open(url, { mesh: "other" }))).toBeInstanceOf(UnusableDatabaseError);
    expect((await failure(open(await server.database("empty"), { mesh }))).message).toContain(
      "is empty, and a mesh was kept in it",
    );
    await server.query(
      url,
      `INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name", "finished_at") VALUES ('x', 'x', '29990101000000_new', now())`,
    );
    const error = await failure(open(url));
    expect(error).toBeInstanceOf(MigrationError);
    expect(error.message).toContain("it was used with a newer one");
    expect(await failure(open("postgres://limpid@127.0.0.1:1/none"))).toBeInstanceOf(UnusableDatabaseError);
  });
});
