import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test, vi } from "vitest";
import { silentLogger } from "../lib/logger.ts";
import { freePort } from "../xds/testing/envoy.ts";
import { RateLimiter } from "./rate-limiter.ts";
import { RedisCounters } from "./redis-counters.ts";
import { redisMissing, redisPath } from "./testing/redis.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function startRedis(port: number): Promise<ChildProcess> {
  const dir = mkdtempSync(join(tmpdir(), "limpid-redis-"));
  const child = spawn(redisPath, ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--dir", dir]);
  const exited = new Promise((done) => child.once("exit", done));
  closers.push(async () => {
    child.kill("SIGKILL");
    await exited;
    rmSync(dir, { recursive: true, force: true });
  });
  await new Promise<void>((done, fail) => {
    child.once("error", fail);
    child.stdout?.on("data", (text) => String(text).includes("Ready to accept connections") && done());
  });
  return child;
}

function replica(port: number) {
  const counters = new RedisCounters({ url: `redis://127.0.0.1:${port}`, logger: silentLogger });
  closers.push(() => counters.close());
  const limiter = new RateLimiter(counters);
  limiter.reload([
    { domain: "shop", descriptors: [{ key: "path", rate_limit: { unit: "year", requests_per_unit: 3 } }] },
  ]);
  const ask = async (value = "/") => {
    const [verdict] = await limiter.check("shop", [{ entries: [{ key: "path", value }] }], 1, Date.now());
    return verdict?.over ? "over" : verdict?.remaining;
  };
  return { counters, ask, limiter };
}

test.skipIf(redisMissing)("replicas share their counts, and use shows what all of them saw", async () => {
  const port = await freePort();
  await startRedis(port);
  const [a, b] = [replica(port), replica(port)];
  await vi.waitFor(() => expect([a.counters.problem(), b.counters.problem()]).toEqual([undefined, undefined]), 5_000);
  expect([await a.ask(), await b.ask(), await a.ask(), await b.ask(), await a.ask()]).toEqual([
    2,
    1,
    0,
    "over",
    "over",
  ]);
  expect(await b.ask("/other")).toBe(2);
  expect(a.limiter.usage(Date.now())[0]).toMatchObject({ descriptor: "path=/", count: 5 });
});

test.skipIf(redisMissing)("without Redis each counts for itself, and shares again when it is back", async () => {
  const port = await freePort();
  const first = await startRedis(port);
  const [a, b] = [replica(port), replica(port)];
  await vi.waitFor(() => expect([a.counters.problem(), b.counters.problem()]).toEqual([undefined, undefined]), 5_000);
  first.kill("SIGKILL");
  await vi.waitFor(() => expect(a.counters.problem()).toBeDefined(), 5_000);
  await vi.waitFor(() => expect(b.counters.problem()).toBeDefined(), 5_000);
  expect([await a.ask(), await a.ask(), await b.ask()]).toEqual([2, 1, 2]);
  await startRedis(port);
  await vi.waitFor(() => expect([a.counters.problem(), b.counters.problem()]).toEqual([undefined, undefined]), 10_000);
  expect([await a.ask("/again"), await b.ask("/again")]).toEqual([2, 1]);
});

test("where there is no Redis at all, limits hold in this process", async () => {
  const { ask, counters } = replica(await freePort());
  expect([await ask(), await ask(), await ask(), await ask()]).toEqual([2, 1, 0, "over"]);
  expect(counters.problem()).toBeDefined();
});
