import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import {
  type DeltaDiscoveryRequest,
  DeltaDiscoveryResponseSchema,
} from "../../gen/proto/envoy/service/discovery/v3/discovery_pb.js";
import { TypeUrl } from "../types.ts";
import { DeltaState, type ResourceUpdate } from "./delta-state.ts";

const { cluster, endpoint } = TypeUrl;

function setUp(verdict: (update: ResourceUpdate) => Record<string, string> = () => ({})) {
  const updates: ResourceUpdate[] = [];
  const handler = {
    apply(update: ResourceUpdate) {
      updates.push(update);
      return new Map(Object.entries(verdict(update)));
    },
  };
  const state = new DeltaState(create(NodeSchema, { id: "n" }), { [cluster]: handler, [endpoint]: handler });
  return { state, updates };
}

/** Requests as short text: `+a,b -c {a@1} ack=n1 !message node`. */
const show = (requests: DeltaDiscoveryRequest[]) =>
  requests.map((request) =>
    [
      request.typeUrl.split(".").at(-1),
      request.resourceNamesSubscribe.length > 0 && `+${request.resourceNamesSubscribe}`,
      request.resourceNamesUnsubscribe.length > 0 && `-${request.resourceNamesUnsubscribe}`,
      ...Object.entries(request.initialResourceVersions).map(([name, version]) => `${name}@${version}`),
      request.responseNonce && `nonce=${request.responseNonce}`,
      request.errorDetail && `!${request.errorDetail.message}`,
      request.node && "node",
    ]
      .filter(Boolean)
      .join(" "),
  );

const response = (typeUrl: string, nonce: string, versions: Record<string, string>, removedResources: string[] = []) =>
  create(DeltaDiscoveryResponseSchema, {
    typeUrl,
    nonce,
    removedResources,
    resources: Object.entries(versions).map(([name, version]) => ({
      name,
      version,
      resource: { typeUrl, value: new Uint8Array() },
    })),
  });

describe("requests", () => {
  test("a wildcard opens with an empty list, and the node goes out once", () => {
    const { state } = setUp();
    expect(state.subscribe(cluster, "*")).toEqual([]);
    state.subscribe(endpoint, ["a"]);
    expect(show(state.open())).toEqual(["Cluster node", "ClusterLoadAssignment +a"]);
  });

  test("names come and go one by one", () => {
    const { state } = setUp();
    state.open();
    expect(show(state.subscribe(endpoint, ["a", "b"]))).toEqual(["ClusterLoadAssignment +a,b node"]);
    expect(show(state.subscribe(endpoint, ["b", "c"]))).toEqual(["ClusterLoadAssignment +c"]);
    expect(show(state.unsubscribe(endpoint, ["a", "x"]))).toEqual(["ClusterLoadAssignment -a"]);
    expect(show(state.unsubscribe(endpoint, ["a"]))).toEqual([]);
  });

  test("a stream resumes with what is held, and an unsubscribed name is forgotten", () => {
    const { state } = setUp();
    state.subscribe(cluster, "*");
    state.subscribe(endpoint, ["a", "b"]);
    state.open();
    state.receive(response(cluster, "1", { x: "v1", y: "v1" }), 0);
    state.receive(response(endpoint, "2", { a: "v2", b: "v2" }), 0);
    state.receive(response(cluster, "3", {}, ["y"]), 0);
    state.unsubscribe(endpoint, ["b"]);
    state.close();
    expect(show(state.open())).toEqual(["Cluster x@v1 node", "ClusterLoadAssignment +a a@v2"]);
  });

  test("names without subscribers are not taken for a wildcard", () => {
    const { state } = setUp();
    state.subscribe(endpoint, ["a"]);
    state.unsubscribe(endpoint, ["a"]);
    expect(state.open()).toEqual([]);
  });
});

describe("responses", () => {
  test("a good one is acknowledged; the first is full", () => {
    const { state, updates } = setUp();
    state.subscribe(cluster, "*");
    state.open();
    expect(show(state.receive(response(cluster, "1", { x: "v1" }), 0))).toEqual(["Cluster nonce=1"]);
    expect(show(state.receive(response(cluster, "2", { x: "v2" }), 0))).toEqual(["Cluster nonce=2"]);
    expect(updates.map((update) => update.full)).toEqual([true, false]);
  });

  test("a bad resource is refused by name, keeps its last version, and holds up no other", () => {
    const { state } = setUp(
      ({ added }): Record<string, string> =>
        added.some((resource) => resource.version === "bad") ? { x: "no such thing" } : {},
    );
    state.subscribe(cluster, "*");
    state.open();
    state.receive(response(cluster, "1", { x: "v1", y: "v1" }), 0);
    expect(show(state.receive(response(cluster, "2", { x: "bad", y: "v2" }), 0))).toEqual([
      "Cluster nonce=2 !Error adding/updating cluster(s) x: no such thing",
    ]);
    expect(Object.fromEntries(state.held(cluster))).toEqual({ x: "v1", y: "v2" });
  });

  test("a handler that throws refuses the update", () => {
    const { state } = setUp(() => {
      throw new Error("bug");
    });
    state.subscribe(cluster, "*");
    state.open();
    expect(show(state.receive(response(cluster, "1", { x: "v1" }), 0))).toEqual([
      "Cluster nonce=1 !Error adding/updating cluster(s) x: bug",
    ]);
    expect(state.held(cluster).size).toBe(0);
  });

  test("a resource of another type is refused", () => {
    const { state, updates } = setUp();
    state.subscribe(cluster, "*");
    state.open();
    const mixed = response(cluster, "1", { x: "v1" });
    for (const { resource } of mixed.resources) if (resource) resource.typeUrl = endpoint;
    expect(show(state.receive(mixed, 0))[0]).toContain("!Error adding/updating cluster(s) x: is a type.googleapis.com");
    expect(updates[0]?.added).toEqual([]);
  });

  test("a resource that crossed with its unsubscription is dropped", () => {
    const { state, updates } = setUp();
    state.subscribe(endpoint, ["a", "b"]);
    state.open();
    state.unsubscribe(endpoint, ["a"]);
    state.receive(response(endpoint, "1", { a: "v1", b: "v1" }), 0);
    expect(updates[0]?.added.map((resource) => resource.name)).toEqual(["b"]);
  });
});

describe("what has a time", () => {
  const timed = (nonce: string, version: string, ttl: number | undefined, body = true) =>
    create(DeltaDiscoveryResponseSchema, {
      typeUrl: cluster,
      nonce,
      resources: [
        {
          name: "x",
          version,
          ...(ttl !== undefined && { ttl: durationFromMs(ttl) }),
          ...(body && { resource: { typeUrl: cluster, value: new Uint8Array() } }),
        },
      ],
    });

  function holding() {
    const { state, updates } = setUp();
    state.subscribe(cluster, "*");
    state.open();
    state.receive(timed("1", "v1", 1_000), 0);
    updates.length = 0;
    return { state, updates };
  }

  test("is dropped when nobody tells of it, with or without a stream, and asked for anew", () => {
    const { state, updates } = holding();
    state.close();
    expect(state.nextExpiry).toBe(1_000);
    state.expire(999);
    expect(updates).toEqual([]);
    state.expire(1_000);
    expect(updates).toEqual([{ added: [], removed: ["x"], full: false }]);
    expect(state.nextExpiry).toBeUndefined();
    expect(show(state.open())).toEqual(["Cluster node"]);
  });

  test("lives on with each heartbeat, of which nobody else hears", () => {
    const { state, updates } = holding();
    expect(show(state.receive(timed("2", "v1", 1_000, false), 800))).toEqual(["Cluster nonce=2"]);
    expect([updates, state.nextExpiry]).toEqual([[], 1_800]);
    state.receive(timed("3", "v2", undefined), 900);
    expect(state.nextExpiry).toBeUndefined();
  });

  test("a heartbeat of what is not held is refused, so that it comes whole", () => {
    const { state } = holding();
    expect(show(state.receive(timed("2", "v0", 1_000, false), 0))[0]).toContain(
      "x: is said to stand in version v0, but v1",
    );
    state.expire(1_000);
    expect(show(state.receive(timed("3", "v1", 1_000, false), 0))[0]).toContain("but none is held");
    expect(state.nextExpiry).toBeUndefined();
  });
});
