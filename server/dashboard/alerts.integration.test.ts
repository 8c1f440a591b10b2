import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Notice } from "../contract/index.ts";
import { openAccessStore } from "../store/open-access-store.ts";
import { openAlertBook } from "../store/open-alert-book.ts";
import { findPostgres, type PostgresServer, startPostgres } from "../store/postgres/testing/postgres-server.ts";
import { oneOfTwoTells } from "./testing/one-of-two-tells.ts";

const found = findPostgres();
const hook = { kind: "webhook", url: "http://127.0.0.1:9/" } as const;

/** Its delivery waits. */
const notice = (id: string): Notice => ({
  ...{ id, rule: "r", builtIn: true, severity: "Info", measure: "errors", limit: 5, value: 9, worst: 9, last: 9 },
  ...{ subject: { kind: "service", namespace: "n", name: id, id }, since: 1, firedAt: 1, clearedAt: null, end: null },
  ...{ deliveries: [{ receiver: "hook", phase: "fired", state: "waiting", at: 0, why: null }], muted: false },
});

describe.skipIf(found === undefined)("dashboards of one mesh on several machines", () => {
  let server: PostgresServer;
  let count = 0;
  beforeAll(async () => {
    server = await startPostgres(found ?? "");
  }, 60_000);
  afterAll(() => server?.stop());

  async function emptyMesh(): Promise<{ database: string; machine: () => string }> {
    const database = await server.database(`alerts${++count}`);
    const root = resolve(import.meta.dirname, "../..");
    await (await openAccessStore({ data: "", root, database })).close();
    const machine = () => {
      const data = mkdtempSync(join(tmpdir(), "limpid-machine-"));
      onTestFinished(() => rmSync(data, { recursive: true }));
      return data;
    };
    return { database, machine };
  }

  it("one tells, the others show it, and one of them goes on", async () => {
    const { database, machine } = await emptyMesh();
    await oneOfTwoTells(() => openAlertBook({ data: machine(), database }));
  });

  it("leadership goes when the connection does, and nothing is written by it any more", async () => {
    const { database, machine } = await emptyMesh();
    const [first, second] = [machine(), machine()].map((data) => openAlertBook({ data, database }));
    if (!first || !second) throw new Error("two machines");
    onTestFinished(() => Promise.all([first.close(), second.close()]).then(() => undefined));
    const leadership = await first.lead();
    await leadership?.keep([notice("a"), notice("b")]);
    expect(await leadership?.holds()).toBe(true);
    expect(await second.lead()).toBeUndefined();
    const cut = `SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'`;
    await server.query(database, cut);
    expect(await leadership?.holds()).toBe(false);
    await expect(leadership?.keep([])).rejects.toThrow();
    const next = await second.lead();
    expect((await second.notices()).map(({ id }) => id).sort()).toEqual(["a", "b"]);
    await next?.keep([{ ...notice("b"), worst: 12 }]);
    expect(await first.notices()).toEqual([{ ...notice("b"), worst: 12 }]);
    await next?.resign();
  });

  it("receivers of the data folder move to the server, once, and no more are taken than there may be", async () => {
    const { database, machine } = await emptyMesh();
    const data = machine();
    await openAlertBook({ data, database: undefined }).putReceiver({ name: "own", ...hook }, 9);
    const book = openAlertBook({ data, database });
    onTestFinished(() => book.close());
    expect(await book.receivers()).toEqual([{ name: "own", ...hook }]);
    expect(existsSync(join(data, "alert-receivers.json"))).toBe(false);
    expect(await book.putReceiver({ name: "other", ...hook }, 2)).toBe(true);
    expect(await book.putReceiver({ name: "third", ...hook }, 2)).toBe(false);
    expect(await book.putReceiver({ name: "own", ...hook, kind: "slack" }, 2), "a change").toBe(true);
    expect(await book.removeReceiver("other")).toBe(true);
    expect(await book.removeReceiver("other")).toBe(false);
    expect(await book.receivers()).toEqual([{ name: "own", ...hook, kind: "slack" }]);
  });

  it("what nobody can be asked is said with the place, without the password", async () => {
    const book = openAlertBook({ data: "/nowhere", database: "postgres://limpid:s3cret@127.0.0.1:9/mesh" });
    onTestFinished(() => book.close());
    await expect(book.lead()).rejects.toThrow("postgres://127.0.0.1:9/mesh");
    await expect(book.notices()).rejects.not.toThrow("s3cret");
  });
});
