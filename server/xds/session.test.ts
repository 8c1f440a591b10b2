import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { FakeClock } from "../lib/testing/fake-clock.ts";
import type { Push } from "./exchange.ts";
import { Session } from "./session.ts";
import { type Resource, type ResourceRef, type Snapshot, TypeUrl } from "./types.ts";

const { cluster, endpoint, listener, route, secret, virtualHost } = TypeUrl;
const types = { cluster, endpoint, listener, route, secret, virtualHost };
const nameOf = new Map<string, string>(Object.entries(types).map(([name, typeUrl]) => [typeUrl, name]));

type Content = Partial<Record<keyof typeof types, Record<string, string>>>;

const requires: Partial<Record<keyof typeof types, (name: string) => ResourceRef[]>> = {
  cluster: (name) => [{ typeUrl: endpoint, name }],
  route: (name) => [{ typeUrl: virtualHost, name: `${name}/` }],
};

/** `{ cluster: { a: "1" } }` at a revision; every cluster takes its endpoints over EDS. */
function snapshotOf(revision: number, content: Content): Snapshot {
  const resources = Object.entries(types).map(([type, typeUrl]) => {
    const versions = Object.entries(content[type as keyof typeof types] ?? {});
    const map = new Map<string, Resource>(
      versions.map(([name, version]) => [
        name,
        { name, version, value: new Uint8Array(), requires: requires[type as keyof typeof types]?.(name) },
      ]),
    );
    return [typeUrl, map] as const;
  });
  return { revision, resources: new Map(resources) };
}

function setUp() {
  const sent: string[] = [];
  const last = new Map<string, Push>();
  const settled: number[] = [];
  const clock = new FakeClock();
  const session = new Session({
    id: "1",
    node: create(NodeSchema, { id: "n" }),
    protocol: "delta",
    clock,
    orderWaitMs: 1000,
    responseBytes: 1_000_000,
    write(typeUrl, push) {
      last.set(typeUrl, push);
      const added = push.resources.map(({ name, version }) => `+${name}@${version}`);
      sent.push([nameOf.get(typeUrl), ...added, ...push.removed.map((name) => `-${name}`)].join(" "));
    },
    events: { settled: (_, revision) => settled.push(revision) },
  });
  const subscribe = (type: keyof typeof types, ...names: string[]) =>
    session.receive(types[type], { subscribe: names, responseNonce: "" });
  const answer = (type: keyof typeof types, error?: string) =>
    session.receive(types[type], { subscribe: [], responseNonce: last.get(types[type])?.nonce ?? "", error });
  const take = () => sent.splice(0);
  return { session, subscribe, answer, take, settled, clock };
}

/** All types subscribed, one service `a` in force. */
function inForce() {
  const test = setUp();
  const content: Content = {
    cluster: { a: "1" },
    endpoint: { a: "1" },
    listener: { l: "1" },
    route: { r: "1" },
    virtualHost: { "r/a": "1" },
  };
  test.session.publish(snapshotOf(1, content));
  test.subscribe("cluster");
  test.answer("cluster");
  test.subscribe("endpoint", "a");
  test.answer("endpoint");
  test.subscribe("listener");
  test.answer("listener");
  test.subscribe("route", "r");
  test.answer("route");
  test.subscribe("virtualHost");
  test.answer("virtualHost");
  expect(test.settled).toEqual([1]);
  test.take();
  return { ...test, content };
}

describe("order", () => {
  test("a new service: its cluster, its endpoints, and only then the route to it", () => {
    const { session, content, subscribe, answer, take, settled } = inForce();
    session.publish(
      snapshotOf(2, {
        ...content,
        cluster: { a: "1", b: "1" },
        endpoint: { a: "1", b: "1" },
        virtualHost: { "r/a": "2" },
      }),
    );
    expect(take()).toEqual(["cluster +b@1"]);
    subscribe("endpoint", "b");
    expect(take()).toEqual(["endpoint +b@1"]);
    answer("cluster"); // Envoy: warm only now
    expect(take()).toEqual([]);
    answer("endpoint");
    expect(take()).toEqual(["virtualHost +r/a@2"]);
    expect(settled).toEqual([1]);
    answer("virtualHost");
    expect(settled).toEqual([1, 2]);
  });

  test("a service that goes: first the route away from it, its cluster last", () => {
    const { session, content, answer, take } = inForce();
    session.publish(snapshotOf(2, { ...content, cluster: {}, endpoint: {}, virtualHost: { "r/a": "2" } }));
    expect(take()).toEqual(["virtualHost +r/a@2"]);
    answer("virtualHost");
    expect(take()).toEqual(["cluster -a"]);
    answer("cluster");
    expect(take()).toEqual(["endpoint -a"]);
  });

  test("a changed cluster gets its endpoints again, a changed route configuration its virtual hosts", () => {
    const { session, content, answer, take } = inForce();
    session.publish(snapshotOf(2, { ...content, cluster: { a: "2" }, route: { r: "2" } }));
    expect(take()).toEqual(["cluster +a@2", "endpoint +a@1"]);
    answer("endpoint");
    answer("cluster");
    expect(take()).toEqual(["route +r@2", "virtualHost +r/a@1"]);
  });

  test("a client that never answers for clusters gets the rest after a while", () => {
    const { session, content, take, clock } = inForce();
    session.publish(snapshotOf(2, { ...content, cluster: { a: "2" }, virtualHost: { "r/a": "2" } }));
    expect(take()).toEqual(["cluster +a@2", "endpoint +a@1"]);
    clock.advance(999);
    expect(take()).toEqual([]);
    clock.advance(1);
    expect(take()).toEqual(["virtualHost +r/a@2"]);
  });

  test("a refused cluster does not hold up the routes", () => {
    const { session, content, answer, take, settled } = inForce();
    session.publish(
      snapshotOf(2, {
        ...content,
        cluster: { a: "1", b: "1" },
        endpoint: { a: "1", b: "1" },
        virtualHost: { "r/a": "2" },
      }),
    );
    take();
    answer("cluster", "Error adding/updating cluster(s) b: no");
    expect(take()).toEqual(["virtualHost +r/a@2"]);
    answer("virtualHost");
    expect(settled).toEqual([1, 2]);
  });
});

describe("secrets", () => {
  test("a cluster with its secret is warm before the route to it is sent", () => {
    const { session, content, subscribe, answer, take } = inForce();
    const next = { cluster: { a: "1", b: "1" }, endpoint: { a: "1", b: "1" }, virtualHost: { "r/a": "2" } };
    session.publish(snapshotOf(2, { ...content, ...next, secret: { default: "1", ROOTCA: "1" } }));
    expect(take()).toEqual(["cluster +b@1"]);
    subscribe("endpoint", "b");
    subscribe("secret", "default");
    // The client answers for its clusters when they are warm: neither may wait for that.
    expect(take()).toEqual(["endpoint +b@1", "secret +default@1"]);
    answer("secret");
    answer("endpoint");
    expect(take()).toEqual([]);
    answer("cluster");
    expect(take()).toEqual(["virtualHost +r/a@2"]);
  });

  test("come before what names them, and go after it", () => {
    const { session, content, subscribe, answer, take } = inForce();
    subscribe("secret", "default");
    answer("secret"); // there is none
    take();
    session.publish(snapshotOf(2, { ...content, cluster: { a: "2" }, secret: { default: "1" } }));
    expect(take()).toEqual(["secret +default@1", "cluster +a@2", "endpoint +a@1"]);
    for (const type of ["secret", "endpoint", "cluster"] as const) answer(type);
    session.publish(
      snapshotOf(3, { listener: content.listener, route: content.route, virtualHost: content.virtualHost }),
    );
    expect(take()).toEqual(["cluster -a"]);
    answer("cluster");
    expect(take()).toEqual(["endpoint -a"]);
    answer("endpoint");
    expect(take()).toEqual(["secret -default"]);
  });

  test("a renewed one goes alone, and the revision settles no second time", () => {
    const { session, content, subscribe, answer, take, settled } = inForce();
    session.publish(snapshotOf(2, { ...content, secret: { default: "1", ROOTCA: "1" } }));
    subscribe("secret", "default", "ROOTCA");
    answer("secret");
    take();
    expect(settled).toEqual([1, 2]);
    session.publish(snapshotOf(2, { ...content, secret: { default: "2", ROOTCA: "1" } }));
    expect(take()).toEqual(["secret +default@2"]);
    answer("secret");
    expect(settled).toEqual([1, 2]);
  });

  test("a change of configuration and a renewal at once: settled when both are answered", () => {
    const { session, content, subscribe, answer, take, settled } = inForce();
    session.publish(snapshotOf(2, { ...content, secret: { default: "1" } }));
    subscribe("secret", "default");
    answer("secret");
    const next = { ...content, virtualHost: { "r/a": "2" } };
    session.publish(snapshotOf(3, { ...next, secret: { default: "1" } }));
    session.publish(snapshotOf(3, { ...next, secret: { default: "2" } }));
    take();
    answer("virtualHost");
    expect(settled).toEqual([1, 2]);
    answer("secret");
    expect(settled).toEqual([1, 2, 3]);
  });
});

test("skipped revisions are never sent, and settle with the newest", () => {
  const { session, content, answer, take, settled } = inForce();
  for (const revision of [2, 3, 4]) {
    session.publish(snapshotOf(revision, { ...content, virtualHost: { "r/a": String(revision) } }));
  }
  expect(take()).toEqual(["virtualHost +r/a@2"]);
  answer("virtualHost");
  expect(take()).toEqual(["virtualHost +r/a@4"]);
  answer("virtualHost");
  expect(settled).toEqual([1, 4]);
});

test("a closed session sends nothing", () => {
  const { session, content, take, clock } = inForce();
  session.publish(snapshotOf(2, { ...content, cluster: { a: "2" }, virtualHost: { "r/a": "2" } }));
  take();
  session.close();
  clock.advance(5000);
  session.publish(snapshotOf(3, { ...content, listener: { l: "2" } }));
  expect(take()).toEqual([]);
});
