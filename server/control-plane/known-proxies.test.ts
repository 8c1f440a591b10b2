import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { silentLogger } from "../lib/logger.ts";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { Session } from "../xds/session.ts";
import { KnownProxies, type KnownProxiesOptions } from "./known-proxies.ts";
import { knownProxiesFile } from "./known-proxies-file.ts";

const folder = mkdtempSync(join(tmpdir(), "known-"));
afterEach(() => {
  for (const name of readdirSync(folder)) rmSync(join(folder, name));
});
const path = join(folder, "known-proxies.json");

const day = 86_400_000;

function setUp(options: Partial<KnownProxiesOptions> = {}) {
  const clock = new FakeClock();
  clock.time = 1_000_000;
  const known = (over: Partial<KnownProxiesOptions> = {}) =>
    new KnownProxies({
      clock,
      logger: silentLogger,
      file: knownProxiesFile(path, silentLogger),
      workloads: () => new Set(["default/reviews-v2"]),
      ...options,
      ...over,
    });
  const stream = (name: string, role = "sidecar", lasting = true) =>
    new Session({
      id: name,
      node: create(NodeSchema, {
        id: `${role}~127.0.1.1~${name}.default~default.svc.cluster.local`,
        userAgentName: "envoy",
        metadata: { NAMESPACE: "default", WORKLOAD_NAME: name },
      }),
      protocol: "delta",
      lasting,
      clock,
      write: () => {},
      events: {},
      orderWaitMs: 1,
      responseBytes: 1,
    });
  return { clock, known, stream };
}

test("whoever asked once, by a unary call, is not missed, and says nothing of the proxy in whose name it asked", () => {
  const { known, stream } = setUp();
  const proxies = known();
  const once = stream("grpcurl", "sidecar", false);
  proxies.connected(once);
  proxies.settled(once, 7);
  proxies.disconnected(once);
  expect(proxies.list()).toEqual([]);
  proxies.connected(stream("reviews-v2"));
  const likewise = stream("reviews-v2", "sidecar", false);
  proxies.connected(likewise);
  proxies.settled(likewise, 7);
  proxies.disconnected(likewise);
  expect(proxies.list()).toMatchObject([{ name: "reviews-v2", connected: true, heldRevision: null }]);
});

test("a proxy that is gone is remembered with what it held, and with who did not get what", () => {
  const { clock, known, stream } = setUp();
  const proxies = known();
  proxies.start();
  const session = stream("reviews-v2");
  proxies.connected(session);
  proxies.settled(session, 7);
  expect(proxies.list()).toMatchObject([
    { name: "reviews-v2", connected: true, disconnectedAt: null, heldRevision: 7 },
  ]);
  expect(proxies.missed(8)).toEqual([]);
  clock.advance(5000);
  proxies.disconnected(session);
  expect(proxies.list()).toMatchObject([{ connected: false, disconnectedAt: 1_005_000, heldRevision: 7 }]);
  expect(proxies.missed(7)).toEqual([]);
  expect(proxies.missed(8)).toMatchObject([{ name: "reviews-v2", disconnectedAt: 1_005_000 }]);
  proxies.connected(stream("reviews-v2"));
  expect(proxies.missed(8)).toEqual([]);
  proxies.stop();
});

test("one of several streams that ends is no proxy that is gone", () => {
  const { known, stream } = setUp();
  const proxies = known();
  const [cds, lds] = [stream("reviews-v2"), stream("reviews-v2")];
  proxies.connected(cds);
  proxies.connected(lds);
  proxies.disconnected(cds);
  expect(proxies.list()).toMatchObject([{ connected: true }]);
});

test("a restart forgets nobody; who was connected is missing since the last time that was written down", () => {
  const { clock, known, stream } = setUp();
  const before = known();
  before.start();
  const session = stream("reviews-v2");
  before.connected(session);
  before.settled(session, 4);
  // Killed: nothing is written at the end.
  clock.advance(61_000);
  const after = known();
  after.start();
  const [row] = after.list();
  expect(row).toMatchObject({ name: "reviews-v2", connected: false, heldRevision: 4 });
  expect(row?.disconnectedAt).toBeGreaterThan(1_040_000);
  after.connected(stream("reviews-v2"));
  expect(after.list()).toMatchObject([{ connected: true, heldRevision: 4 }]);
});

test("when it was away is known over a restart, and so is that it was the control plane", () => {
  const { clock, known, stream } = setUp();
  const before = known();
  before.start();
  const session = stream("reviews-v2");
  before.connected(session);
  clock.advance(5000);
  before.disconnected(session);
  clock.advance(7000);
  const proxy = { from: 1_005_000, to: 1_012_000, whose: "proxy" };
  const second = stream("reviews-v2");
  before.connected(second);
  expect(before.list()).toMatchObject([{ absences: [proxy] }]);
  before.stop();
  // Streams end after the file is written.
  before.disconnected(second);
  clock.advance(2000);
  const after = known();
  after.start();
  const back = stream("reviews-v2");
  after.connected(back);
  const absences = [proxy, { from: 1_012_000, to: 1_014_000, whose: "control-plane" }];
  expect(after.list()).toMatchObject([{ absences }]);
  for (let round = 0; round < 20; round++) {
    after.disconnected(back);
    clock.advance(1000);
    after.connected(back);
  }
  expect(after.list()[0]?.absences).toHaveLength(10);
  expect(after.list()[0]?.absences?.at(-1)?.whose).toBe("proxy");
});

test("is forgotten by hand, by age, and with its workload", () => {
  let registry = new Set(["default/reviews-v2"]);
  const { clock, known, stream } = setUp({ workloads: () => registry });
  const proxies = known();
  const [sidecar, gateway] = [stream("reviews-v2"), stream("ingress", "router")];
  for (const session of [sidecar, gateway]) proxies.connected(session);
  const names = () => proxies.list().map(({ name }) => name);
  expect(proxies.forget(gateway.node.id)).toBe("connected");
  for (const session of [sidecar, gateway]) proxies.disconnected(session);
  expect(names()).toEqual(["ingress", "reviews-v2"]);
  clock.advance(day / 2);
  expect(names()).toHaveLength(2);
  registry = new Set();
  expect(names()).toEqual(["ingress"]);
  clock.advance(day);
  expect(names()).toEqual([]);
  proxies.connected(gateway);
  proxies.disconnected(gateway);
  expect(proxies.forget(gateway.node.id)).toBe("forgotten");
  expect(proxies.forget(gateway.node.id)).toBe("unknown");
  expect(names()).toEqual([]);
});

test("those that are gone longest give way to a limit", () => {
  const { clock, known, stream } = setUp({ limit: 2, workloads: () => new Set() });
  const proxies = known();
  for (const name of ["a", "b", "c"]) {
    const session = stream(name);
    proxies.connected(session);
    proxies.disconnected(session);
    clock.advance(10);
  }
  expect(proxies.list().map(({ name }) => name)).toEqual(["b", "c"]);
});

test("a damaged file is as none, and is replaced", () => {
  const { known, stream } = setUp();
  writeFileSync(path, "{");
  const proxies = known();
  proxies.start();
  expect(proxies.list()).toEqual([]);
  proxies.connected(stream("reviews-v2"));
  proxies.stop();
  const again = known();
  again.start();
  expect(again.list()).toHaveLength(1);
  expect(readdirSync(folder)).toEqual(["known-proxies.json"]);
});
