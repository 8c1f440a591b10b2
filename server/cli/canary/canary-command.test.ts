import { Command } from "commander";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { ConfigObject } from "../../config/object.ts";
import { type ApiHarness, reviews, startApi } from "../../control-plane/api/testing/api-harness.ts";
import { registerCanary } from "./register.ts";

let api: ApiHarness;
beforeEach(async () => {
  const service = {
    namespace: "default",
    name: "reviews",
    hostname: "reviews.default.svc.cluster.local",
    external: false,
    ports: [],
    versions: ["v1", "v2", "v3"].map((version) => ({ version, subset: null, workloads: [], endpoints: [] })),
    virtualServices: [],
    destinationRules: [],
  };
  api = await startApi({ services: async () => [service] });
  await api.store.commit([{ op: "put", object: reviews({ v1: 20, v2: 80 }) as ConfigObject }], "ada");
});
afterEach(() => api.close());

async function limpid(...args: string[]) {
  const run = { code: 0, out: "", err: "" };
  const program = new Command("limpid").exitOverride();
  registerCanary(program, {
    out: (text) => {
      run.out += text;
    },
    err: (text) => {
      run.err += text;
    },
    stdin: async () => "",
    fail: (code = 1) => {
      run.code = code;
    },
    env: { LIMPID_SERVER: api.url, LIMPID_USER: "bob" },
  });
  await program.parseAsync(["canary", ...args], { from: "user" });
  return run;
}
const stored = () => api.store.get({ kind: "Canary", namespace: "default", name: "reviews" });

test("start, status, pause, resume, abort, by the service's name", async () => {
  expect(await limpid("status")).toMatchObject({ out: "", err: "there is no canary\n" });
  const dry = (await limpid("start", "reviews", "--dry-run")).out;
  expect(dry).toMatch(/\+ +weight: 72\n/);
  expect(dry).toMatch(/subset v3 +0 % +8 %/);
  expect(dry).toMatch(/\ncanary reviews: v2 → v3 would start \(dry run\)\n$/);
  expect(await stored()).toBeUndefined();
  const started = await limpid(
    "start",
    "reviews",
    "--steps",
    "5:1m,50:10m",
    "--max-p95",
    "300ms",
    "--min-requests",
    "5",
  );
  expect(started).toMatchObject({ code: 0, out: "canary reviews: v2 → v3 started\n" });
  expect((await stored())?.spec).toMatchObject({
    steps: [
      { weight: 5, hold: "1m" },
      { weight: 50, hold: "10m" },
    ],
    thresholds: { minRequests: 5, latencyP95: { max: "300ms" } },
  });
  expect((await limpid("status", "reviews")).out).toMatch(
    /^default\/reviews: reviews v2 → v3, Progressing: step 1 of 2: v3 gets 5 %\nnext step in \d+s\n$/,
  );
  expect((await limpid("pause", "reviews")).out).toBe("canary reviews: paused by hand\n");
  expect((await limpid("resume", "reviews")).out).toBe("canary reviews: step 1 of 2: v3 gets 5 %\n");
  expect((await limpid("abort", "reviews")).out).toBe("canary reviews: aborted by hand\n");
  expect((await api.store.history({ limit: 1 }))[0]?.author).toBe("bob");
  expect(await limpid("promote", "reviews")).toMatchObject({
    code: 1,
    err: "error: canary reviews is RolledBack: there is nothing to promote\n",
  });
});

test("what is wrong is said by its field", async () => {
  const run = await limpid("start", "reviews", "--to", "v2", "--from", "v2");
  expect(run).toMatchObject({ code: 1 });
  expect(run.err).toContain("spec.to");
  expect((await limpid("pause", "ratings")).err).toBe("error: there is no canary of ratings in default\n");
});
