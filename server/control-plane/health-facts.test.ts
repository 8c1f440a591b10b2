import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import type { HealthCheckSpecifier } from "../gen/proto/envoy/service/health/v3/hds_pb.js";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import { checkedPorts } from "../model/health-checks.ts";
import { buildMesh } from "../model/mesh.ts";
import type { Prober } from "../xds/hds.ts";
import { HealthFacts } from "./health-facts.ts";

const object = (kind: string, apiVersion: string, name: string, spec: unknown): ConfigObject =>
  ({ kind, apiVersion, metadata: { name, namespace: "default" }, spec }) as unknown as ConfigObject;

const entryOf = (...endpoints: object[]) =>
  object("ServiceEntry", "networking.istio.io/v1", "shop", {
    hosts: ["shop.default.svc.cluster.local"],
    resolution: "STATIC",
    ports: [{ name: "http", number: 80, protocol: "HTTP" }],
    endpoints,
  });
const entry = entryOf({ address: "10.0.0.1" }, { address: "10.0.0.2" });
const check = (spec: object) =>
  object("HealthCheck", "limpid.dev/v1alpha1", "shop", {
    host: "shop",
    http: { path: "/up" },
    interval: "1s",
    ...spec,
  });

const cluster = "outbound|80||shop.default.svc.cluster.local/default";

function setUp(spec: object = {}, service = entry) {
  const clock = new FakeClock();
  const changes: string[] = [];
  const facts = new HealthFacts({
    clock,
    onChange: () => changes.push([...facts.health].map(([key, ok]) => `${key.split(" ")[1]} ${ok}`).join(", ")),
  });
  facts.setPorts(checkedPorts(buildMesh([service, check(spec)], 1)));
  const join = (id: string, identity?: string) => {
    const told: HealthCheckSpecifier[] = [];
    const prober: Prober = {
      node: create(NodeSchema, { id }),
      identity,
      protocols: new Set(["http"]),
      assign: (specifier) => told.push(specifier),
    };
    facts.join(prober);
    clock.advance(50);
    const say = (address: string, healthy: boolean) => facts.report(prober, [{ cluster, address, port: 80, healthy }]);
    return { prober, told, say };
  };
  return { facts, clock, changes: () => changes.splice(0), join };
}

test("a prober is told what to probe, and how", () => {
  const { told } = setUp().join("a");
  expect(told).toHaveLength(1);
  expect(told[0]?.interval?.seconds).toBe(1n);
  expect(told[0]?.clusterHealthChecks).toMatchObject([
    {
      clusterName: cluster,
      healthChecks: [
        {
          unhealthyThreshold: 2,
          healthChecker: { value: { path: "/up", host: "shop.default.svc.cluster.local" } },
        },
      ],
    },
  ]);
  expect(told[0]?.clusterHealthChecks[0]?.localityEndpoints[0]?.endpoints).toHaveLength(2);
});

test("what it finds changes the sequence once; its first word against an endpoint may be of before it knew", () => {
  const { facts, join, changes } = setUp();
  const { say } = join("a");
  say("10.0.0.1", false);
  expect(changes()).toEqual([]);
  say("10.0.0.1", false);
  say("10.0.0.1", false);
  expect(changes()).toEqual(["10.0.0.1:80 false"]);
  say("10.0.0.2", true);
  expect(changes()).toEqual(["10.0.0.1:80 false, 10.0.0.2:80 true"]);
  expect(facts.sequence).toBe(2);
});

test("most must find it unhealthy; who leaves or falls silent has no say", () => {
  const { facts, clock, join, changes } = setUp();
  const [a, b, c] = [join("a"), join("b"), join("c")];
  for (const { say } of [a, b, c]) {
    say("10.0.0.1", true);
    say("10.0.0.1", true);
  }
  a.say("10.0.0.1", false);
  expect(changes()).toEqual(["10.0.0.1:80 true"]);
  b.say("10.0.0.1", false);
  expect(changes()).toEqual(["10.0.0.1:80 false"]);
  facts.leave(b.prober);
  clock.advance(50);
  expect(changes()).toEqual(["10.0.0.1:80 true"]);
  clock.advance(5_000);
  expect(changes()).toEqual([""]);
});

test("an endpoint has as many probers as its check says; those with a certificate go first", () => {
  const { join } = setUp({ probers: 1 });
  const [a, b] = [join("a"), join("b")];
  const count = (told: HealthCheckSpecifier[]) =>
    told.at(-1)?.clusterHealthChecks.flatMap((it) => it.localityEndpoints[0]?.endpoints ?? []).length ?? 0;
  expect(count(a.told) + count(b.told)).toBe(2);
  const certified = join("c", "spiffe://cluster.local/ns/default/sa/c");
  expect([count(a.told), count(b.told), count(certified.told)]).toEqual([0, 0, 2]);
});

test("who comes second is told that there is nothing to do, and is asked when the others have gone", () => {
  const { facts, join } = setUp({ probers: 1 });
  const certified = join("c", "spiffe://cluster.local/ns/default/sa/c");
  const idle = join("d", "spiffe://cluster.local/ns/default/sa/d");
  const byHand = join("grpcurl");
  expect(byHand.told).toMatchObject([{ clusterHealthChecks: [], interval: { seconds: 60n } }]);
  for (const { prober } of [certified, idle]) facts.leave(prober);
  expect(
    join("another")
      .told.concat(byHand.told)
      .flatMap((it) => it.clusterHealthChecks),
  ).not.toEqual([]);
});

test("in a mesh that checks nothing, only who shows no certificate is told so", () => {
  const { facts, join } = setUp();
  facts.setPorts([]);
  expect(join("proxy", "spiffe://cluster.local/ns/default/sa/c").told).toEqual([]);
  expect(join("grpcurl").told).toHaveLength(1);
});

test("what takes mutual TLS is probed over it, by nobody who has no certificate", () => {
  const labels = { "security.istio.io/tlsMode": "istio" };
  const { facts, join } = setUp({}, entryOf({ address: "10.0.0.1", labels }, { address: "10.0.0.2" }));
  const plain = join("a");
  const asked = (told: HealthCheckSpecifier[]) =>
    told
      .at(-1)
      ?.clusterHealthChecks.map(({ clusterName, transportSocketMatches: [match] }) => [
        clusterName,
        match?.transportSocket?.name,
      ]);
  expect(asked(plain.told)).toEqual([[cluster, undefined]]);
  const certified = join("b", "spiffe://cluster.local/ns/default/sa/b");
  expect(asked(plain.told)).toEqual([]);
  expect(asked(certified.told)).toEqual([
    [`${cluster}/mutual-tls`, "envoy.transport_sockets.tls"],
    [cluster, undefined],
  ]);
  const found = { cluster: `${cluster}/mutual-tls`, address: "10.0.0.1", port: 80, healthy: false };
  for (let i = 0; i < 2; i++) facts.report(certified.prober, [found]);
  expect([...facts.health.values()]).toEqual([false]);
});

test("who has nothing to probe is told nothing, until there is something", () => {
  const { facts, clock, join } = setUp({}, entryOf());
  const { told } = join("a", "spiffe://cluster.local/ns/default/sa/a");
  expect(told).toEqual([]);
  facts.setPorts(checkedPorts(buildMesh([entry, check({})], 2)));
  clock.advance(50);
  expect(told.map(({ clusterHealthChecks }) => clusterHealthChecks.length)).toEqual([1]);
  facts.setPorts([]);
  clock.advance(50);
  expect(told.map(({ clusterHealthChecks }) => clusterHealthChecks.length)).toEqual([1, 0]);
});

test("nobody is heard of what he was not asked", () => {
  const { facts, join } = setUp();
  const { say } = join("a");
  for (let i = 0; i < 3; i++) say("10.9.9.9", false);
  expect(facts.health.size).toBe(0);
});
