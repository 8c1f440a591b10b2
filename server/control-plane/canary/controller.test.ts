import { afterEach, describe, expect, test } from "vitest";
import { kinds } from "../../config/kinds/index.ts";
import { MemoryConfigStore } from "../../config/memory-store.ts";
import type { ConfigObject } from "../../config/object.ts";
import type { CanaryFigures, CanaryList, MeshService } from "../../contract/index.ts";
import { silentLogger } from "../../lib/logger.ts";
import { FakeClock } from "../../lib/testing/fake-clock.ts";
import { indexKinds } from "../api/kind-index.ts";
import { reviews, startApi } from "../api/testing/api-harness.ts";
import { type CanaryController, createCanaryController } from "./controller.ts";

const service: MeshService = {
  namespace: "default",
  name: "reviews",
  hostname: "reviews.default.svc.cluster.local",
  external: false,
  ports: [{ name: "http", port: 9080, protocol: "HTTP" }],
  versions: ["v1", "v2", "v3"].map((version) => ({ version, subset: null, workloads: [], endpoints: [] })),
  virtualServices: [],
  destinationRules: [],
};
const canary = {
  apiVersion: "limpid.dev/v1alpha1",
  kind: "Canary",
  metadata: { name: "reviews", namespace: "default" },
  spec: {
    service: { name: "reviews" },
    from: "v1",
    to: "v3",
    steps: [
      { weight: 10, hold: "20s" },
      { weight: 50, hold: "20s" },
    ],
  },
} satisfies ConfigObject;

const destinationRule: ConfigObject = {
  apiVersion: "networking.istio.io/v1",
  kind: "DestinationRule",
  metadata: { name: "reviews", namespace: "default" },
  spec: { host: "reviews", subsets: ["v1", "v2", "v3"].map((name) => ({ name, labels: { version: name } })) },
};

const patience = { timeout: 15_000, interval: 5 };

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of cleanups.splice(0).reverse()) await end();
});

async function setUp(before: Record<string, number> | undefined = { v1: 100, v2: 0, v3: 0 }) {
  const clock = new FakeClock();
  const store = new MemoryConfigStore({ clock });
  if (before) await store.commit([{ op: "put", object: reviews(before) as ConfigObject }], "ada");
  const measured: { from: CanaryFigures; to: CanaryFigures; fails?: string } = {
    from: { requests: 100, successRate: 100, latencyMsP95: 20 },
    to: { requests: 100, successRate: 100, latencyMsP95: 20 },
  };
  let deployed = ["v1", "v2", "v3"];
  const services = async () => [
    { ...service, versions: service.versions.filter(({ version }) => deployed.includes(version)) },
  ];
  const deploy = (...versions: string[]): void => {
    deployed = versions;
  };
  const context = { store, services, kinds: indexKinds(kinds, []), clock, logger: silentLogger };
  let controller: CanaryController | undefined;
  const start = async (): Promise<void> => {
    controller = createCanaryController({
      context,
      signals: async ({ windowSec }) => {
        if (measured.fails) throw new Error(measured.fails);
        return { at: clock.now(), windowSec, from: measured.from, to: measured.to };
      },
    });
    cleanups.push(controller.close);
    await controller.start();
  };
  const api = await startApi({ store, clock, services, liveCanary: (key) => controller?.live(key) ?? null });
  cleanups.push(api.close);
  const status = async () => (await store.get({ kind: "Canary", namespace: "default", name: "reviews" }))?.status;
  const weights = async () => {
    const found = await store.get({ kind: "VirtualService", namespace: "default", name: "reviews" });
    const { http = [] } = (found?.spec ?? {}) as {
      http?: { route: { destination: { subset: string }; weight?: number }[] }[];
    };
    return Object.fromEntries((http[0]?.route ?? []).map(({ destination, weight }) => [destination.subset, weight]));
  };
  const act = (action: string) =>
    api.call("POST", `/limpid/v1/canaries/default/reviews/${action}`, {}, { "x-limpid-user": "bob" });
  /** Time goes on until it is so. */
  const until = (what: () => Promise<unknown>, is: unknown) =>
    expect
      .poll(async () => {
        clock.advance(1_000);
        return what();
      }, patience)
      .toEqual(is);
  return { clock, store, deploy, measured, start, api, status, weights, act, until, stop: () => controller?.close() };
}
type SetUp = Awaited<ReturnType<typeof setUp>>;
const apply = ({ store }: SetUp) => store.commit([{ op: "put", object: canary }], "ada");
const phase = (set: SetUp) => async () => (await set.status())?.phase;

test("a Canary that is applied goes through, and the history has each step under its name", async () => {
  const set = await setUp();
  await set.start();
  await apply(set);
  await expect.poll(set.weights).toEqual({ v1: 90, v2: 0, v3: 10 });
  await set.until(set.weights, { v1: 50, v2: 0, v3: 50 });
  await set.until(phase(set), "Succeeded");
  expect(await set.weights()).toEqual({ v1: 0, v2: 0, v3: 100 });
  const { body } = await set.api.call("GET", "/limpid/v1/changes?limit=3");
  expect(body.changes.map(({ author, summary }: { author: string; summary: string }) => [author, summary])).toEqual([
    ["limpid (canary)", "canary reviews: finished, v3 100 %"],
    ["limpid (canary)", "canary reviews: step, v3 50 %"],
    ["limpid (canary)", "canary reviews: step, v3 10 %"],
  ]);
  expect(body.changes[0].words).toEqual([
    { code: "canary", canary: "reviews", event: "finished", version: "v3", weight: 100 },
  ]);
});

test("one that fails goes back to the weights from before, and stays there", async () => {
  const set = await setUp({ v1: 60, v2: 40, v3: 0 });
  await set.start();
  await apply(set);
  await expect.poll(set.weights).toEqual({ v1: 54, v2: 40, v3: 6 });
  set.measured.to = { requests: 100, successRate: 60, latencyMsP95: 20 };
  await set.until(phase(set), "RolledBack");
  expect(await set.weights()).toEqual({ v1: 60, v2: 40, v3: 0 });
  expect(await set.status()).toMatchObject({
    reason: "Worse",
    message: "v3 succeeds in 60 % of its requests, less than 99 %",
    observed: { to: { successRate: 60 } },
  });
});

test("a control plane that was killed in between goes on where it was", async () => {
  const set = await setUp(undefined);
  await set.start();
  await apply(set);
  await expect.poll(phase(set)).toBe("Progressing");
  await set.stop();
  const revision = await set.store.revision();
  set.clock.advance(300_000);
  expect(await set.store.revision()).toBe(revision);
  await set.start();
  await expect.poll(set.weights).toMatchObject({ v3: 50 });
  expect(await set.status()).toMatchObject({ step: 2, since: new Date(set.clock.now()).toISOString() });
});

test("without signals nothing moves, and the list says why", async () => {
  const set = await setUp();
  await set.start();
  await apply(set);
  set.measured.fails = "the dashboard is away";
  const waiting = async () => {
    const list: CanaryList = (await set.api.call("GET", "/limpid/v1/canaries")).body;
    return list.canaries[0]?.live?.waiting;
  };
  await set.until(waiting, "signals");
  set.clock.advance(600_000);
  expect(await set.status()).toMatchObject({ step: 1, phase: "Progressing" });
  delete set.measured.fails;
  await set.until(async () => (await set.status())?.step, 2);
});

test("by hand: started, paused, resumed, promoted; each in the name of who did it", async () => {
  const set = await setUp();
  await set.start();
  const body = { namespace: "default", name: "reviews", spec: canary.spec };
  const dry = await set.api.call("POST", "/limpid/v1/canaries?dryRun=true", body);
  expect(dry.body).toMatchObject({
    dryRun: true,
    shares: expect.arrayContaining([expect.objectContaining({ after: 10 })]),
  });
  expect(await set.status()).toBeUndefined();
  expect((await set.api.call("POST", "/limpid/v1/canaries", body)).status).toBe(200);
  expect(await set.weights()).toEqual({ v1: 90, v2: 0, v3: 10 });
  expect((await set.api.call("POST", "/limpid/v1/canaries", body)).body.message).toContain(
    "canary reviews is Progressing",
  );

  expect((await set.act("pause")).status).toBe(200);
  expect(await set.status()).toMatchObject({ phase: "Paused", reason: "PausedByHand" });
  set.measured.to = { requests: 100, successRate: 0, latencyMsP95: 20 };
  set.clock.advance(600_000);
  expect((await set.act("pause")).body.message).toBe("canary reviews is Paused: there is nothing to pause");
  set.measured.to = set.measured.from;
  expect((await set.act("resume")).status).toBe(200);
  expect(await set.status()).toMatchObject({ phase: "Progressing", step: 1 });
  expect((await set.act("promote")).status).toBe(200);
  expect(await set.weights()).toEqual({ v1: 0, v2: 0, v3: 100 });
  const [newest] = await set.store.history({ limit: 1 });
  expect(newest).toMatchObject({ author: "bob", reason: "canary reviews: promoted, v3 100 %" });
  // The same again is a new run, for whoever asks for it.
  expect(
    (await set.api.call("POST", "/limpid/v1/canaries", { ...body, spec: { ...body.spec, from: "v3", to: "v1" } }))
      .status,
  ).toBe(200);
  expect(await set.weights()).toEqual({ v1: 10, v2: 0, v3: 90 });
  expect((await set.act("abort")).status).toBe(200);
  expect(await set.weights()).toEqual({ v1: 0, v2: 0, v3: 100 });
  expect(await set.status()).toMatchObject({ phase: "RolledBack", reason: "Aborted" });
});

test("somebody else's weights pause it; resumed, it takes them again", async () => {
  const set = await setUp();
  await set.start();
  await apply(set);
  await expect.poll(phase(set)).toBe("Progressing");
  await set.store.commit([{ op: "put", object: reviews({ v1: 30, v2: 70, v3: 0 }) as ConfigObject }], "bob");
  await expect.poll(phase(set)).toBe("Paused");
  expect(await set.weights()).toEqual({ v1: 30, v2: 70, v3: 0 });
  expect(await set.status()).toMatchObject({ reason: "WeightsChanged" });
  await set.act("resume");
  expect(await set.weights()).toEqual({ v1: 90, v2: 0, v3: 10 });
});

test("what can't be is refused by its field", async () => {
  const set = await setUp();
  const start = (spec: object) =>
    set.api.call("POST", "/limpid/v1/canaries", {
      namespace: "default",
      name: "reviews",
      spec: { ...canary.spec, ...spec },
    });
  const errors = async (spec: object) => (await start(spec)).body.errors;
  expect(await errors({ to: "v1" })).toMatchObject([
    { path: "spec.to", message: 'must be another version than from, "v1"' },
  ]);
  expect(await errors({ to: "v4" })).toMatchObject([
    { path: "spec", message: "it can't begin: the service has no version v4; did you mean v1?" },
  ]);
  const falling = [
    { weight: 50, hold: "1m" },
    { weight: 20, hold: "2d" },
  ];
  expect(await errors({ steps: falling })).toMatchObject([
    { path: "spec.steps[1].hold" },
    { path: "spec.steps[1].weight", message: "must be more than the step before has, 50, not 20" },
  ]);
  expect((await start({ service: { name: "nobody" } })).status).toBe(404);
  expect((await set.act("pause")).status).toBe(404);
});

test("the new version's last workload goes: its failures are seen, and the old weights come back", async () => {
  const set = await setUp();
  await set.store.commit([{ op: "put", object: destinationRule }], "ada");
  await set.start();
  await apply(set);
  await expect.poll(phase(set)).toBe("Progressing");
  set.deploy("v1", "v2");
  set.measured.to = { requests: 60, successRate: 0, latencyMsP95: null };
  await set.until(phase(set), "RolledBack");
  expect(await set.weights()).toEqual({ v1: 100, v2: 0, v3: 0 });
});

test("a Canary that comes before its version waits for it", async () => {
  const set = await setUp();
  set.deploy("v1", "v2");
  await set.start();
  await apply(set);
  await expect.poll(phase(set)).toBe("Pending");
  expect(await set.status()).toMatchObject({ message: "the service has no version v3; did you mean v1?" });
  set.deploy("v1", "v2", "v3");
  await set.store.commit([{ op: "put", object: destinationRule }], "ada");
  await expect.poll(phase(set)).toBe("Progressing");
});

test("at a gateway it moves the rule that is named, and no other", async () => {
  const set = await setUp();
  const split = reviews({ v1: 100, v3: 0 }).spec.http[0]?.route ?? [];
  const entry = {
    apiVersion: "networking.istio.io/v1",
    kind: "VirtualService",
    metadata: { name: "entry", namespace: "default" },
    spec: {
      hosts: ["shop.example.com"],
      gateways: ["edge/gateway"],
      http: [
        { route: [{ destination: { host: "ratings" } }] },
        { match: [{ uri: { prefix: "/reviews" } }], route: split },
      ],
    },
  };
  await set.store.commit([{ op: "put", object: entry as ConfigObject }], "ada");
  const spec = { ...canary.spec, route: { virtualService: "entry", rule: 1 } };
  const body = { namespace: "default", name: "reviews", spec };
  expect((await set.api.call("POST", "/limpid/v1/canaries", body)).status).toBe(200);
  const after = await set.store.get({ kind: "VirtualService", namespace: "default", name: "entry" });
  const { http = [] } = (after?.spec ?? {}) as { http?: { route: { weight?: number }[] }[] };
  expect(http[1]?.route.map(({ weight }) => weight)).toEqual([90, 10]);
  expect(http[0]).toEqual(entry.spec.http[0]);
  expect(await set.weights()).toEqual({ v1: 100, v2: 0, v3: 0 });
  const elsewhere = { ...body, name: "other", spec: { ...spec, route: { virtualService: "entry", rule: 0 } } };
  await set.act("abort");
  expect((await set.api.call("POST", "/limpid/v1/canaries", elsewhere)).body.errors).toMatchObject([
    { path: "spec", message: "it can't begin: rule 0 also sends to ratings" },
  ]);
});

test("a dry run of a Canary in a file says what its first step will write, and whose traffic that moves", async () => {
  const set = await setUp({ v1: 60, v2: 40, v3: 0 });
  const check = async (over: object = {}) => {
    const object = { ...canary, spec: { ...canary.spec, ...over } };
    const writes = [{ op: "apply", object }];
    return (await set.api.call("POST", "/limpid/v1/transactions?dryRun=true", { writes })).body;
  };
  const { objects } = await check();
  expect(objects.map(({ kind, follows }: { kind: string; follows?: true }) => [kind, follows])).toEqual([
    ["Canary", undefined],
    ["DestinationRule", true],
    ["VirtualService", true],
  ]);
  expect(objects[2].after).toContain("weight: 54");
  expect(await set.weights()).toEqual({ v1: 60, v2: 40, v3: 0 });
  expect((await check({ paused: true })).objects).toHaveLength(1);
  await set.start();
  await apply(set);
  await set.until(phase(set), "Succeeded");
  // Applied again, the file is of a run that is over.
  expect((await check()).objects).toHaveLength(1);
});

describe("undo", () => {
  const undo = async ({ api, store }: SetUp) =>
    api.call("POST", `/limpid/v1/changes/${await store.revision()}/undo`, {}, { "x-limpid-user": "bob" });

  test("takes a run back as one, and the canary leaves it at that", async () => {
    const set = await setUp({ v1: 90, v2: 10, v3: 0 });
    await set.start();
    await apply(set);
    await set.until(phase(set), "Succeeded");
    expect(await set.weights()).toEqual({ v1: 0, v2: 10, v3: 90 });
    expect((await undo(set)).status).toBe(200);
    expect(await set.weights()).toEqual({ v1: 90, v2: 10, v3: 0 });
    expect(await set.status()).toMatchObject({ phase: "RolledBack", reason: "Undone" });
    const revision = await set.store.revision();
    // Neither time nor the same file starts it anew.
    set.clock.advance(120_000);
    await apply(set);
    expect(await set.weights()).toEqual({ v1: 90, v2: 10, v3: 0 });
    expect(await set.store.revision()).toBe(revision);
    const [change] = await set.store.history({ limit: 1 });
    expect(change?.reason).toMatch(/^undo of \d+: reviews 0\/10\/90 → 90\/10\/0$/);
  });

  test("of one that was started by hand leaves no canary", async () => {
    const set = await setUp();
    await set.start();
    await set.api.call("POST", "/limpid/v1/canaries", { namespace: "default", name: "reviews", spec: canary.spec });
    await set.until(set.weights, { v1: 50, v2: 0, v3: 50 });
    await undo(set);
    expect(await set.weights()).toEqual({ v1: 100, v2: 0, v3: 0 });
    expect(await set.status()).toBeUndefined();
  });

  test("goes back to what somebody else set in between, and no further", async () => {
    const set = await setUp();
    await set.start();
    await apply(set);
    await expect.poll(set.weights).toEqual({ v1: 90, v2: 0, v3: 10 });
    await set.store.commit([{ op: "put", object: reviews({ v1: 70, v2: 20, v3: 10 }) as ConfigObject }], "eve");
    await set.until(phase(set), "Paused");
    await set.act("promote");
    await expect.poll(phase(set)).toBe("Succeeded");
    await undo(set);
    expect(await set.weights()).toEqual({ v1: 70, v2: 20, v3: 10 });
  });
});
