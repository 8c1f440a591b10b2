import { fromBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { createSnapshot, findInconsistencies } from "./snapshot.ts";
import { testMessages, testVirtualHost, withEntry } from "./testing/messages.ts";
import { TypeUrl } from "./types.ts";

const mesh = () => testMessages({ listenerPort: 1, upstreamPort: 2, services: 3, vhds: true });

test("equal content has equal versions, in whatever objects", () => {
  const [a, b] = [createSnapshot(1, mesh()), createSnapshot(2, mesh())];
  for (const [typeUrl, resources] of a.resources) {
    expect([...resources.values()].map((r) => r.version)).toEqual(
      [...(b.resources.get(typeUrl)?.values() ?? [])].map((r) => r.version),
    );
  }
  const changed = testVirtualHost("s0", "s0", "v2");
  const c = createSnapshot(3, { ...mesh(), virtualHosts: new Map([["http_proxy/s0", changed]]) });
  const version = (snapshot: typeof a) => snapshot.resources.get(TypeUrl.virtualHost)?.get("http_proxy/s0")?.version;
  expect(version(c)).not.toBe(version(a));
});

test("a message is encoded once, also in another map; the same map is taken as it is", () => {
  const messages = mesh();
  const a = createSnapshot(1, messages);
  const b = createSnapshot(2, { ...messages, clusters: withEntry(messages.clusters, "s0", undefined) });
  const of = (snapshot: typeof a, typeUrl: string, name: string) => snapshot.resources.get(typeUrl)?.get(name);
  expect(b.resources.get(TypeUrl.endpoint)).toBe(a.resources.get(TypeUrl.endpoint));
  expect(of(b, TypeUrl.cluster, "s1")).toBe(of(a, TypeUrl.cluster, "s1"));
});

test("one virtual host in two route configurations is two resources, each with its own name inside", () => {
  const host = testVirtualHost("s0", "s0", "v1");
  const virtualHosts = new Map([
    ["one/s0", host],
    ["two/s0", host],
  ]);
  const resources = createSnapshot(1, { ...mesh(), virtualHosts }).resources.get(TypeUrl.virtualHost);
  const inside = [...(resources?.values() ?? [])].map(({ value }) => fromBinary(VirtualHostSchema, value).name);
  expect(inside).toEqual(["one/s0", "two/s0"]);
});

test("what is named but missing is found", () => {
  expect(findInconsistencies(createSnapshot(1, mesh()))).toEqual([]);
  const broken = createSnapshot(1, {
    ...mesh(),
    endpoints: withEntry(mesh().endpoints, "s1", undefined),
    routes: new Map(),
  });
  expect(findInconsistencies(broken)).toEqual([
    "Cluster s1 needs ClusterLoadAssignment s1",
    "Listener outbound needs RouteConfiguration http_proxy",
  ]);
});
