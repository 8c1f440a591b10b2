import { describe, expect, it } from "vitest";
import type { ConfigObject } from "../config/object.ts";
import { buildMesh } from "./mesh.ts";
import { visibleServices } from "./registry.ts";

const host = "x.example.net";
const day = (number: number): string => `2026-01-0${number}T00:00:00Z`;
const entry = (
  namespace: string,
  name: string,
  port: number,
  more: { created?: string; exportTo?: string[]; resolution?: string; addresses?: string[]; host?: string } = {},
): ConfigObject => ({
  apiVersion: "networking.istio.io/v1",
  kind: "ServiceEntry",
  metadata: { namespace, name, creationTimestamp: more.created ?? day(1) },
  spec: {
    hosts: [more.host ?? host],
    ports: [{ number: port, name: `p${port}`, protocol: "HTTP" }],
    resolution: more.resolution ?? "STATIC",
    endpoints: (more.addresses ?? ["10.0.0.1"]).map((address) => ({ address })),
    ...(more.exportTo && { exportTo: more.exportTo }),
  },
});

const seenFrom = (namespace: string, ...objects: ConfigObject[]) => {
  const mesh = buildMesh(objects, 1);
  const service = visibleServices(mesh.services, namespace).get(host);
  if (!service) return undefined;
  const endpoints = mesh.endpoints.get(service.key)?.byPort ?? new Map();
  return {
    from: `${service.namespace}/${service.name}`,
    ports: Object.fromEntries(
      service.ports.map(({ port }) => [port, (endpoints.get(port) ?? []).map((it: { address: string }) => it.address)]),
    ),
  };
};

describe("resources that claim one hostname", () => {
  it("add up their ports and endpoints within a namespace, in any order", () => {
    const a = entry("default", "a", 80);
    const b = entry("default", "b", 8080, { created: day(2), addresses: ["10.0.0.2"] });
    const c = entry("default", "c", 80, { created: day(3), addresses: ["10.0.0.3", "10.0.0.1"] });
    const expected = { from: "default/a", ports: { 80: ["10.0.0.1", "10.0.0.3"], 8080: ["10.0.0.2"] } };
    expect(seenFrom("prod", a, b, c)).toEqual(expected);
    expect(seenFrom("prod", c, b, a)).toEqual(expected);
  });

  it("don't add up when they find their endpoints in different ways: the oldest has its way", () => {
    const dns = entry("default", "b", 8080, { created: day(2), resolution: "DNS" });
    expect(seenFrom("prod", dns, entry("default", "a", 80))?.ports).toEqual({ 80: ["10.0.0.1"] });
  });

  it("serve those who don't see the first", () => {
    const hidden = entry("default", "a", 80, { exportTo: ["."] });
    const second = entry("prod", "b", 443, { created: day(2) });
    expect(seenFrom("prod", hidden, second)?.from).toBe("prod/b");
    expect(seenFrom("other", hidden, second)?.from).toBe("prod/b");
    expect(seenFrom("default", hidden, second)?.from).toBe("default/a");
    expect(seenFrom("other", hidden)).toBeUndefined();
  });

  it("of one namespace show each client what it may see", () => {
    const own = entry("default", "own", 80, { exportTo: ["."], created: day(2) });
    const everyones = entry("default", "everyones", 8080);
    expect(seenFrom("default", own, everyones)?.from).toBe("default/own");
    expect(seenFrom("prod", own, everyones)?.from).toBe("default/everyones");
  });

  it("give a client its own namespace's first, then what was exported to it by name, then the oldest", () => {
    const oldest = entry("a", "oldest", 80);
    const named = entry("b", "named", 81, { created: day(2), exportTo: ["client", "third"] });
    const own = entry("client", "own", 82, { created: day(3) });
    expect(seenFrom("client", oldest, named, own)?.from).toBe("client/own");
    expect(seenFrom("client", oldest, named)?.from).toBe("b/named");
    expect(seenFrom("elsewhere", oldest, named, own)?.from).toBe("a/oldest");
  });

  it("let nobody take a Service's name, and let its own namespace add a port to it", () => {
    const service: ConfigObject = {
      apiVersion: "v1",
      kind: "Service",
      metadata: { namespace: "default", name: "reviews", creationTimestamp: day(5) },
      spec: { selector: { app: "reviews" }, ports: [{ name: "http", port: 80 }] },
    };
    const workload: ConfigObject = {
      apiVersion: "networking.istio.io/v1",
      kind: "WorkloadEntry",
      metadata: { namespace: "default", name: "reviews-v1" },
      spec: { address: "10.0.0.9", labels: { app: "reviews" } },
    };
    const reviews = "reviews.default.svc.cluster.local";
    const mesh = buildMesh(
      [
        entry("default", "more", 81, { host: reviews }),
        entry("squatter", "old", 80, { host: reviews }),
        service,
        workload,
      ],
      1,
    );
    const found = visibleServices(mesh.services, "client").get(reviews);
    expect(found).toMatchObject({ kind: "Service", namespace: "default", ports: [{ port: 80 }, { port: 81 }] });
    const byPort = mesh.endpoints.get(found?.key ?? "")?.byPort;
    expect(byPort?.get(80)?.map(({ address }) => address)).toEqual(["10.0.0.9"]);
    expect(byPort?.get(81)?.map(({ address }) => address)).toEqual(["10.0.0.1"]);
    expect(visibleServices(mesh.services, "squatter").get(reviews)?.kind).toBe("ServiceEntry");
  });

  it("are one map for all namespaces to which nothing is special", () => {
    const { services } = buildMesh([entry("default", "a", 80, { exportTo: ["."] }), entry("prod", "b", 443)], 1);
    expect(visibleServices(services, "x")).toBe(visibleServices(services, "y"));
    expect(visibleServices(services, "default")).not.toBe(visibleServices(services, "y"));
  });
});
