import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import type { ConfigChange } from "../config/store.ts";
import { fractionsFrom } from "../lib/testing/random.ts";
import { findDestinationRule } from "./destination-rules.ts";
import { buildMesh, type Mesh, updateMesh } from "./mesh.ts";

const object = (kind: string, namespace: string, name: string, spec: Record<string, unknown>): ConfigObject => ({
  apiVersion: kind === "Service" ? "v1" : "networking.istio.io/v1",
  kind,
  metadata: { name, namespace },
  spec,
});

const service = (name: string, port = 80) =>
  object("Service", "default", name, { selector: { app: name }, ports: [{ name: "http", port }] });
const workload = (name: string, app: string, address: string) =>
  object("WorkloadEntry", "default", name, { address, labels: { app, version: "v1" } });
const rule = (name: string, host: string) =>
  object("DestinationRule", "default", name, { host, subsets: [{ name: "v1" }] });
const routes = (name: string, host: string, weight = 100) =>
  object("VirtualService", "default", name, { hosts: [host], http: [{ route: [{ destination: { host }, weight }] }] });

const put = (after: ConfigObject): ConfigChange => ({
  type: "MODIFIED",
  key: { kind: after.kind, namespace: after.metadata.namespace, name: after.metadata.name },
  after,
});
const remove = (before: ConfigObject): ConfigChange => ({ ...put(before), type: "DELETED", after: undefined, before });

const base = [
  service("reviews"),
  service("ratings"),
  workload("reviews-v1", "reviews", "127.0.1.1"),
  workload("ratings-v1", "ratings", "127.0.1.2"),
  rule("reviews", "reviews"),
  routes("reviews", "reviews"),
];
const reviews = "default/reviews.default.svc.cluster.local";
const ratings = "default/ratings.default.svc.cluster.local";

/** All that may be compared; `objects` are the input. */
const contents = ({ objects: _, ...mesh }: Mesh) => mesh;

describe("updateMesh", () => {
  it("keeps every other part when a VirtualService changes", () => {
    const before = buildMesh(base, 1);
    const after = updateMesh(before, [put(routes("reviews", "reviews", 50))], 2);
    expect(after.revision).toBe(2);
    expect(after.services).toBe(before.services);
    expect(after.endpoints).toBe(before.endpoints);
    expect(after.destinationRules).toBe(before.destinationRules);
    expect(after.gateways).toBe(before.gateways);
    expect(after.virtualServices).not.toBe(before.virtualServices);
  });

  it("keeps the other services' endpoints when a workload changes, and all services", () => {
    const before = buildMesh(base, 1);
    const after = updateMesh(before, [put(workload("reviews-v1", "reviews", "127.0.1.9"))], 2);
    expect(after.services).toBe(before.services);
    expect(after.endpoints.get(ratings)).toBe(before.endpoints.get(ratings));
    expect(
      after.endpoints
        .get(reviews)
        ?.byPort.get(80)
        ?.map((it) => it.address),
    ).toEqual(["127.0.1.9"]);
    expect(
      before.endpoints
        .get(reviews)
        ?.byPort.get(80)
        ?.map((it) => it.address),
    ).toEqual(["127.0.1.1"]);
  });

  it("keeps the other services when one changes, comes or goes", () => {
    const before = buildMesh(base, 1);
    for (const change of [put(service("reviews", 81)), put(service("new")), remove(service("reviews"))]) {
      const after = updateMesh(before, [change], 2);
      expect(after.services).not.toBe(before.services);
      expect(after.services.get(ratings)).toBe(before.services.get(ratings));
      expect(after.endpoints.get(ratings)).toBe(before.endpoints.get(ratings));
    }
  });

  it("keeps endpoints as a whole when a workload that no service selects comes", () => {
    const before = buildMesh(base, 1);
    expect(updateMesh(before, [put(workload("lonely", "nobody", "127.0.1.8"))], 2).endpoints).toBe(before.endpoints);
  });

  it("gives after any sequence of edits what building from scratch gives", () => {
    const next = fractionsFrom(42);
    const names = ["reviews", "ratings", "details", "shop"];
    const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * items.length)] as T;
    const makers = [
      () => service(pick(names), 80 + Math.floor(next() * 3)),
      () => workload(`w${Math.floor(next() * 5)}`, pick(names), `127.0.1.${Math.floor(next() * 4)}`),
      () => rule(`dr-${pick(names)}`, pick([...names, "*.cluster.local"])),
      () => routes(`vs-${pick(names)}`, pick([...names, "*.default.svc.cluster.local"]), Math.floor(next() * 100)),
      () => object("Gateway", "default", pick(names), { selector: { app: pick(names) }, servers: [] }),
      () =>
        object("ServiceEntry", "default", pick(names), {
          hosts: [`${pick(names)}.example.com`],
          ports: [{ number: 80, name: "http", protocol: "HTTP" }],
          resolution: pick(["DNS", "STATIC"]),
          ...(next() < 0.5 ? { workloadSelector: { labels: { app: pick(names) } } } : {}),
        }),
      () => object("Namespace", "", pick(names), {}),
    ];
    let mesh = buildMesh(base, 1);
    for (let revision = 2; revision < 300; revision++) {
      const edited = pick(makers)();
      mesh = updateMesh(mesh, [next() < 0.3 ? remove(edited) : put(edited)], revision);
      const current = [...mesh.objects.values()].flatMap((kind) => [...kind.values()]);
      // Copies, so that nothing remembered by identity can hide a difference.
      expect(contents(mesh)).toEqual(contents(buildMesh(structuredClone(current), revision)));
      const hostnames = [...mesh.services.values()].map(({ hostname }) => hostname);
      expect(hostnames).toEqual(hostnames.toSorted());
    }
  });
});

describe("buildMesh", () => {
  it("gives a hostname that two resources claim to the Service, and among equals to the older", () => {
    const entry = (name: string, created: string): ConfigObject => {
      const it = object("ServiceEntry", "default", name, {
        hosts: ["reviews.default.svc.cluster.local", "x.example.com"],
        ports: [],
      });
      return { ...it, metadata: { ...it.metadata, creationTimestamp: created } };
    };
    const mesh = buildMesh(
      [entry("a", "2026-02-01T00:00:00Z"), entry("b", "2026-01-01T00:00:00Z"), service("reviews")],
      1,
    );
    expect(mesh.services.get(reviews)?.kind).toBe("Service");
    expect(mesh.services.get("default/x.example.com")?.name).toBe("b");
  });

  it("takes the root namespace and the domain from its options", () => {
    const everyone = object("DestinationRule", "mesh-root", "all", { host: "*.corp" });
    const mesh = buildMesh([service("reviews"), everyone], 1, { domain: "corp", rootNamespace: "mesh-root" });
    expect([...mesh.services.keys()]).toEqual(["default/reviews.default.svc.corp"]);
    const found = findDestinationRule(
      mesh.destinationRules,
      "reviews.default.svc.corp",
      "default",
      "x",
      mesh.options.rootNamespace,
    );
    expect(found?.name).toBe("all");
  });
});
