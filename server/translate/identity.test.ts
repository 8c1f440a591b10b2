import { join } from "node:path";
import { toBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { VirtualHostSchema } from "../gen/proto/envoy/config/route/v3/route_components_pb.js";
import { mapSteps } from "../lib/lineage.ts";
import { buildMesh, type Mesh, updateMesh } from "../model/mesh.ts";
import type { MeshProxy } from "../model/proxy.ts";
import type { ProxyResources } from "./resources.ts";
import { loadCase, proxyOf, resourcesToJson } from "./testing/cases.ts";
import { translate } from "./translate.ts";

const { objects, proxy } = loadCase(join(import.meta.dirname, "testdata/bookinfo-sidecar.in.yaml"));
const sotw: MeshProxy = { ...proxy, delta: false };
const mesh = buildMesh(objects, 1);

const edit = (from: Mesh, kind: string, name: string, change: (object: ConfigObject) => void): Mesh => {
  const before = from.objects.get(kind)?.get(`default/${name}`);
  if (!before) throw new Error(`no ${kind} ${name}`);
  const after = structuredClone(before);
  change(after);
  return updateMesh(
    from,
    [{ type: "MODIFIED", key: { kind, namespace: "default", name }, before, after }],
    from.revision + 1,
  );
};

const shiftWeights = (from: Mesh, v1: number): Mesh =>
  edit(from, "VirtualService", "reviews", (object) => {
    const http = (object.spec as { http: { route: { weight: number }[] }[] }).http[0];
    for (const [index, weight] of [v1, 100 - v1, 0].entries()) {
      const route = http?.route[index];
      if (route) route.weight = weight;
    }
  });

/** Names, per type, of what is not the same object in both. */
const changed = (a: ProxyResources, b: ProxyResources) =>
  Object.fromEntries(
    (["listeners", "routes", "virtualHosts", "clusters", "endpoints"] as const).map((type) => [
      type,
      [...new Set([...a[type].keys(), ...b[type].keys()])].filter((name) => a[type].get(name) !== b[type].get(name)),
    ]),
  );
const key = { kind: "VirtualService", namespace: "default", name: "unrelated" };
const unrelated: ConfigObject = {
  apiVersion: "networking.istio.io/v1",
  kind: key.kind,
  metadata: { name: key.name, namespace: key.namespace },
  spec: { hosts: ["nobody"], gateways: ["none"], http: [{ route: [{ destination: { host: "ratings" } }] }] },
};
const nothing = { listeners: [], routes: [], virtualHosts: [], clusters: [], endpoints: [] };
const reviews = "http_proxy/reviews.default.svc.cluster.local:9080";

describe("what a changed rule touches", () => {
  it("is told of one map of virtual hosts after the other, for those who bring it further", () => {
    const before = translate(mesh, proxy);
    const whole = translate(mesh, sotw);
    const next = shiftWeights(mesh, 61);
    expect(mapSteps.between(before.virtualHosts, translate(next, proxy).virtualHosts)).toEqual(new Set([reviews]));
    // Whoever is asked for the second time of the same change gets the same.
    expect(translate(next, sotw).routes).not.toBe(whole.routes);
    expect(translate(next, proxy).virtualHosts).toBe(translate(next, proxy).virtualHosts);
  });

  it("is the host of the roots where it is a delegate's, and nothing where it is nobody's", () => {
    const { objects, proxy } = loadCase(join(import.meta.dirname, "testdata/delegate.in.yaml"));
    const shop = "http_proxy/shop.default.svc.cluster.local:9080";
    const mesh = buildMesh(objects, 1);
    const before = translate(mesh, proxy);
    const put = (name: string, timeout: string) => {
      const old = mesh.objects.get("VirtualService")?.get(`team/${name}`);
      if (!old) throw new Error(`no ${name}`);
      const after = structuredClone(old);
      Object.assign((after.spec.http as object[])[0] ?? {}, { timeout });
      const key = { kind: "VirtualService", namespace: "team", name };
      return translate(updateMesh(mesh, [{ type: "MODIFIED", key, before: old, after }], 2), proxy);
    };
    const after = put("reviews", "7s");
    expect(mapSteps.between(before.virtualHosts, after.virtualHosts)).toEqual(new Set([shop]));
    expect(changed(before, after)).toEqual({ ...nothing, virtualHosts: [shop] });
    // Not exported to the root's namespace.
    expect(changed(before, put("private", "7s"))).toEqual(nothing);
  });

  it("of a rule for some clients is what these have, and nothing for the others", () => {
    const { objects, proxy } = loadCase(join(import.meta.dirname, "testdata/selected-rules.in.yaml"));
    const mesh = buildMesh(objects, 1);
    const other = { ...proxy, labels: { app: "nobody" } };
    const [before, beside] = [translate(mesh, proxy), translate(mesh, other)];
    const next = edit(mesh, "DestinationRule", "mine", ({ spec }) => {
      spec.trafficPolicy = { connectionPool: { tcp: { maxConnections: 9 } } };
    });
    const clusters = ["", "v2", "v3"].map((subset) => `outbound|9080|${subset}|reviews.default.svc.cluster.local`);
    const touched = changed(before, translate(next, proxy));
    expect(touched).toMatchObject({ clusters, endpoints: [], listeners: [] });
    expect(changed(beside, translate(next, other))).toEqual(nothing);
  });

  it("is nothing where the rule is for others", () => {
    const before = translate(mesh, proxy);
    const next = updateMesh(mesh, [{ type: "ADDED", key: { ...key, name: "another" }, after: unrelated }], 2);
    expect(translate(next, proxy).virtualHosts).toBe(before.virtualHosts);
  });
});

describe("identity is the change signal", () => {
  it("keeps everything when nothing changed, the maps too", () => {
    const [a, b] = [translate(mesh, proxy), translate(mesh, proxy)];
    expect(changed(a, b)).toEqual(nothing);
    expect([a.listeners, a.routes, a.virtualHosts, a.clusters, a.endpoints]).toEqual([
      b.listeners,
      b.routes,
      b.virtualHosts,
      b.clusters,
      b.endpoints,
    ]);
    expect(a.clusters).toBe(b.clusters);
    expect(a.virtualHosts).toBe(b.virtualHosts);
  });

  it("makes one virtual host anew for one weight", () => {
    const before = translate(mesh, proxy);
    const after = translate(shiftWeights(mesh, 70), proxy);
    expect(changed(before, after)).toEqual({ ...nothing, virtualHosts: [reviews] });
    expect(after.clusters).toBe(before.clusters);
    expect(after.endpoints).toBe(before.endpoints);
    expect(after.listeners).toBe(before.listeners);
  });

  it("makes one virtual host inside one route configuration anew for a state-of-the-world proxy", () => {
    const before = translate(mesh, sotw);
    const after = translate(shiftWeights(mesh, 70), sotw);
    expect(changed(before, after)).toEqual({ ...nothing, routes: ["http_proxy"] });
    const hosts = (it: ProxyResources) => it.routes.get("http_proxy")?.virtualHosts ?? [];
    const fresh = hosts(after).filter((host) => !hosts(before).includes(host));
    expect(fresh.map((host) => host.name)).toEqual(["reviews.default.svc.cluster.local:9080"]);
  });

  it("returns to equal bytes when the weight is set back", () => {
    const before = translate(mesh, proxy).virtualHosts.get(reviews);
    const after = translate(shiftWeights(shiftWeights(mesh, 70), 80), proxy).virtualHosts.get(reviews);
    if (!before || !after) throw new Error("no reviews");
    expect(after).not.toBe(before);
    expect(toBinary(VirtualHostSchema, after)).toEqual(toBinary(VirtualHostSchema, before));
  });

  it("changes only the endpoints when a workload moves", () => {
    const next = edit(mesh, "WorkloadEntry", "reviews-v2", (object) => {
      object.spec.address = "127.0.1.33";
    });
    expect(changed(translate(mesh, proxy), translate(next, proxy))).toEqual({
      ...nothing,
      endpoints: ["", "v2"].map((subset) => `outbound|9080|${subset}|reviews.default.svc.cluster.local`),
    });
  });

  it("changes only the cluster whose policy did", () => {
    const next = edit(mesh, "DestinationRule", "reviews", (object) => {
      const [, v2] = (object.spec as { subsets: { trafficPolicy?: unknown }[] }).subsets;
      if (v2) v2.trafficPolicy = { loadBalancer: { simple: "RANDOM" } };
    });
    expect(changed(translate(mesh, proxy), translate(next, proxy))).toEqual({
      ...nothing,
      clusters: ["outbound|9080|v2|reviews.default.svc.cluster.local"],
    });
  });

  it("with mutual TLS makes the clusters anew when a service account comes, not when a workload moves", () => {
    const certified: MeshProxy = { ...proxy, identity: "spiffe://cluster.local/ns/default/sa/bookinfo-productpage" };
    const account = (from: Mesh, name: string, serviceAccount: string) =>
      edit(from, "WorkloadEntry", name, ({ spec }) => Object.assign(spec, { serviceAccount }));
    const mutual = ["reviews-v1", "reviews-v2", "reviews-v3"].reduce(
      (from, name) => account(from, name, "bookinfo-reviews"),
      edit(mesh, "DestinationRule", "reviews", ({ spec }) =>
        Object.assign(spec, { trafficPolicy: { tls: { mode: "ISTIO_MUTUAL" } } }),
      ),
    );
    const before = translate(mutual, certified);
    const moved = edit(mutual, "WorkloadEntry", "reviews-v2", ({ spec }) =>
      Object.assign(spec, { address: "10.9.9.9" }),
    );
    expect(changed(before, translate(moved, certified)).clusters).toEqual([]);
    const more = translate(account(mutual, "reviews-v2", "bookinfo-reviews-2"), certified);
    expect(changed(before, more).clusters).toEqual(
      ["", "v1", "v2", "v3"].map((subset) => `outbound|9080|${subset}|reviews.default.svc.cluster.local`),
    );
  });

  it("shares between proxies of one scope all but what is their own", () => {
    const other = proxyOf({
      id: "sidecar~127.0.1.2~reviews-v1.default~default.svc.cluster.local",
      metadata: { INTERCEPTION_MODE: "NONE", LABELS: { app: "reviews", version: "v1" } },
    });
    const [mine, theirs] = [translate(mesh, proxy), translate(mesh, other)];
    expect(theirs.virtualHosts).toBe(mine.virtualHosts);
    expect(theirs.endpoints).toBe(mine.endpoints);
    expect(changed(mine, theirs).clusters).toEqual(["inbound|9080||"]);
    expect(changed(mine, theirs).routes).toEqual([]);
  });

  it("keeps proxies that some rule tells apart by their labels from undoing each other's work", () => {
    const told = edit(mesh, "VirtualService", "reviews", (object) => {
      const http = object.spec.http as object[];
      http.unshift({ ...http[0], match: [{ sourceLabels: { app: "ratings" } }] });
    });
    const ratings = { ...proxy, labels: { app: "ratings" } };
    const before = [translate(told, proxy), translate(told, ratings)] as const;
    expect(changed(...before).virtualHosts).toEqual([reviews]);
    const next = updateMesh(told, [{ type: "ADDED", key, after: unrelated }], 9);
    expect(changed(before[0], translate(next, proxy))).toEqual(nothing);
    expect(changed(before[1], translate(next, ratings))).toEqual(nothing);
  });

  it("keeps proxies of different namespaces from undoing each other's work", () => {
    const foreign = proxyOf({
      id: "sidecar~127.0.1.7~guest-v1.guests~guests.svc.cluster.local",
      metadata: { INTERCEPTION_MODE: "NONE" },
    });
    const before = translate(mesh, proxy);
    translate(mesh, foreign);
    const next = shiftWeights(mesh, 60);
    translate(next, foreign);
    expect(changed(before, translate(next, proxy))).toEqual({ ...nothing, virtualHosts: [reviews] });
  });

  it("makes one listener anew for one changed TCP weight, and none for a changed HTTP weight", () => {
    const tcp = loadCase(join(import.meta.dirname, "testdata/tcp.in.yaml"));
    const both = buildMesh([...tcp.objects, ...objects], 1);
    const before = translate(both, tcp.proxy);
    const shifted = edit(both, "VirtualService", "mysql-split", (object) => {
      const rule = (object.spec as { tcp: { route: { weight: number }[] }[] }).tcp[3];
      for (const [index, weight] of [10, 90].entries()) {
        const route = rule?.route[index];
        if (route) route.weight = weight;
      }
    });
    expect(changed(before, translate(shiftWeights(both, 1), tcp.proxy))).toMatchObject({ listeners: [] });
    expect(changed(before, translate(shifted, tcp.proxy))).toEqual({ ...nothing, listeners: ["127.0.1.6_3306"] });
  });
});

describe("determinism", () => {
  it("does not depend on the order of the input, nor on what was translated before", () => {
    const folder = join(import.meta.dirname, "testdata");
    for (const name of [
      "wildcards",
      "destination-rules",
      "gateway-hosts",
      "service-entries",
      "tcp",
      "tls",
      "gateway-l4",
    ]) {
      const path = join(folder, `${name}.in.yaml`);
      const [one, two] = [loadCase(path), loadCase(path)];
      const straight = resourcesToJson(translate(buildMesh(one.objects, 1), one.proxy));
      const reversed = resourcesToJson(translate(buildMesh(two.objects.toReversed(), 1), two.proxy));
      expect(JSON.stringify(reversed)).toBe(JSON.stringify(straight));
    }
  });

  it.each(["REDIRECT", "TPROXY"])("refuses interception %s to the bundled sidecar, and says what to set", (mode) => {
    const node = { id: "sidecar~10.0.0.1~a.default~default.svc.cluster.local", metadata: { INTERCEPTION_MODE: mode } };
    expect(() => translate(mesh, { ...proxyOf(node), bundled: true })).toThrow(
      new RegExp(`${mode} is Envoy's.*INTERCEPTION_MODE NONE`),
    );
  });
});
