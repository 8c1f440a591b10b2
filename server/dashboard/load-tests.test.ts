import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { LoadPlan } from "../contract/index.ts";
import { openLoadReports } from "./load-reports.ts";
import { createLoadTests, nothingYet } from "./load-tests.ts";

let folder = "";
let server: Server;
let origin = "";
const unread: string[] = [];
const errors: unknown[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "limpid-load-"));
  server = createServer((_request, response) => void response.end("x"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
  rmSync(folder, { recursive: true });
  unread.length = 0;
  errors.length = 0;
});

const change = (revision: number, at: number) =>
  ({ revision, at, author: "a", summary: "", objects: [], reason: null, undoes: null }) as never;

const open = () =>
  createLoadTests({
    reports: openLoadReports(join(folder, "load-tests"), (file) => unread.push(file)),
    targets: async () => ({
      targets: [
        { kind: "gateway", namespace: "default", name: "gw", origin, protocols: ["http1", "http2"], hosts: ["a"] },
      ],
    }),
    changes: async () => ({ changes: [change(9, Date.now() + 60_000), change(7, 1000), change(3, 10)] }),
    now: Date.now,
    onError: (error) => errors.push(error),
  });

const plan = (fields: Partial<LoadPlan> = {}): LoadPlan =>
  LoadPlan.parse({ url: `${origin}/x`, rate: 50, durationSec: 1, arrivals: "constant", ...fields });

it("runs in a thread, and keeps what it found with the revision that was in force", async () => {
  const tests = open();
  const begun = await tests.startLoadTest(plan(), "ada");
  expect((await tests.loadTests()).running).toMatchObject({ id: begun.id, author: "ada" });
  await expect(tests.startLoadTest(plan(), "eve")).rejects.toMatchObject({ code: "CONFLICT", reason: "load-runs" });
  await vi.waitFor(async () => expect((await tests.loadTests()).running).toBeNull(), { timeout: 20_000 });
  const { reports } = await tests.loadTests();
  expect(reports).toMatchObject([
    {
      id: begun.id,
      author: "ada",
      ended: "done",
      revision: { from: 7, to: 7 },
      outcome: { answered: 50, seconds: [] },
    },
  ]);
  expect((await tests.loadTest(begun.id)).outcome.seconds).toMatchObject([{ due: 50, ok: 50 }]);
  // Somebody else finds it, too.
  expect(await open().loadTest(begun.id)).toEqual(await tests.loadTest(begun.id));
  expect(errors).toEqual([]);
});

it("goes to this mesh's own proxies only", async () => {
  await expect(open().startLoadTest(plan({ url: "http://203.0.113.9/" }), "ada")).rejects.toMatchObject({
    code: "INVALID",
    reason: "load-elsewhere",
    errors: [{ path: "url" }],
  });
  const also = [
    { url: plan().url, method: "GET", weight: 1 },
    { url: "http://203.0.113.9/", method: "GET", weight: 1 },
  ];
  await expect(open().startLoadTest(plan({ also }), "ada")).rejects.toMatchObject({
    errors: [{ path: "also[1].url" }],
  });
});

it("is stopped by hand, with what it found until then", async () => {
  const tests = open();
  await expect(tests.stopLoadTest()).rejects.toMatchObject({ code: "NOT_FOUND" });
  await tests.startLoadTest(plan({ durationSec: 600 }), "ada");
  await vi.waitFor(async () => expect((await tests.loadTests()).running?.outcome.answered ?? 0).toBeGreaterThan(0), {
    timeout: 20_000,
  });
  await tests.stopLoadTest();
  await vi.waitFor(async () => expect((await tests.loadTests()).reports).toMatchObject([{ ended: "stopped" }]), {
    timeout: 20_000,
  });
});

it("keeps nothing that a header says in confidence", async () => {
  const tests = open();
  const headers = { authorization: "Bearer s3cret", "X-Api-Key": "s3cret", accept: "text/html" };
  const { id } = await tests.startLoadTest(
    plan({
      headers,
      method: "POST",
      body: "b".repeat(5000),
      also: [{ url: plan().url, method: "GET", headers, weight: 1 }],
    }),
    "ada",
  );
  await vi.waitFor(async () => expect((await tests.loadTests()).running).toBeNull(), { timeout: 20_000 });
  const file = readFileSync(join(folder, "load-tests", `${id}.json`), "utf8");
  expect(file).not.toContain("s3cret");
  expect((await tests.loadTest(id)).plan).toMatchObject({ headers: { accept: "text/html" } });
  expect((await tests.loadTest(id)).plan.body).toHaveLength(2001);
});

it("leaves files alone that are no reports, forgets by hand, and keeps 200", async () => {
  const tests = open();
  const made = {
    plan: plan(),
    startedAt: 5000,
    endedAt: 6000,
    ended: "done" as const,
    outcome: nothingYet,
  };
  const first = await tests.keepLoadTest(made, "ada");
  expect((await tests.loadTests()).reports).toHaveLength(1);
  expect(first.revision).toEqual({ from: 7, to: 7 });
  for (let i = 1; i <= 200; i++) await tests.keepLoadTest({ ...made, startedAt: 5000 + i }, "ada");
  expect((await tests.loadTests()).reports).toHaveLength(200);
  await expect(tests.loadTest(first.id)).rejects.toMatchObject({ code: "NOT_FOUND" });
  expect(readdirSync(join(folder, "load-tests"))).toHaveLength(200);
  const [newest] = (await tests.loadTests()).reports;
  await tests.forgetLoadTest(newest?.id ?? "");
  await expect(tests.forgetLoadTest(newest?.id ?? "")).rejects.toMatchObject({ code: "NOT_FOUND" });
  const stray = "00000000-0000-0000-0000-000000000000.json";
  writeFileSync(join(folder, "load-tests", stray), "{}");
  expect((await open().loadTests()).reports).toHaveLength(199);
  expect(unread).toEqual([stray]);
});
