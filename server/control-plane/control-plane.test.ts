import { create } from "@bufbuild/protobuf";
import { afterEach, expect, test, vi } from "vitest";
import { parseDocuments } from "../config/kinds/index.ts";
import { MemoryConfigStore } from "../config/memory-store.ts";
import type { ConfigObject } from "../config/object.ts";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { type AdsClient, createAdsClient } from "../xds/client/ads-client.ts";
import type { ResourceHandlers, ResourceUpdate } from "../xds/client/delta-state.ts";
import { fetchProxyStatuses } from "../xds/csds-client.ts";
import { TypeUrl } from "../xds/types.ts";
import { type ControlPlane, type ControlPlaneOptions, createControlPlane } from "./control-plane.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function objects(yaml: string): ConfigObject[] {
  const parsed = parseDocuments(yaml);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.errors));
  return parsed.value;
}

const service = (name: string) => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: default }
spec: { selector: { app: ${name} }, ports: [{ name: http, port: 9080 }] }
---
apiVersion: networking.istio.io/v1
kind: WorkloadEntry
metadata: { name: ${name}-v1, namespace: default }
spec: { address: 127.0.1.9, labels: { app: ${name}, version: v1 } }
---`;

const virtualService = (weight: number, extra = "") => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec:
  hosts: [reviews]
  ${extra}
  http:
    - route:
        - { destination: { host: reviews }, weight: ${weight} }
        - { destination: { host: ratings }, weight: ${100 - weight} }
`;

async function startPlane(store: MemoryConfigStore, options: Partial<ControlPlaneOptions> = {}): Promise<ControlPlane> {
  const plane = createControlPlane({ store, xdsPort: 0, clock: systemClock, logger: silentLogger, ...options });
  await plane.start();
  closers.push(() => plane.stop());
  return plane;
}

async function storeWith(yaml: string): Promise<MemoryConfigStore> {
  const store = new MemoryConfigStore();
  await put(store, yaml);
  return store;
}

const put = (store: MemoryConfigStore, yaml: string) =>
  store.commit(
    objects(yaml).map((object) => ({ op: "put" as const, object })),
    "test",
  );

interface TestProxy {
  ads: AdsClient;
  /** `VirtualHost http_proxy/reviews…` for each resource received. */
  received: string[];
  responses: number;
  /** Why the stream ended, each time it did. */
  lost: string[];
  refuse: (update: ResourceUpdate) => Record<string, string>;
  stop(): void;
}

/** Takes everything, like a proxy, and subscribes to the endpoints of its clusters. */
function connect(
  port: number,
  name: string,
  namespace = "default",
  role = "sidecar",
  metadata: Record<string, string> = { INTERCEPTION_MODE: "NONE" },
): TestProxy {
  const proxy: TestProxy = { received: [], lost: [], responses: 0, refuse: () => ({}) } as unknown as TestProxy;
  const handlers: ResourceHandlers = {};
  for (const typeUrl of [TypeUrl.cluster, TypeUrl.endpoint, TypeUrl.listener, TypeUrl.route, TypeUrl.virtualHost]) {
    handlers[typeUrl] = {
      apply(update) {
        const names = update.added.map((resource) => resource.name);
        proxy.responses += 1;
        proxy.received.push(...names.map((resource) => `${typeUrl.split(".").at(-1)} ${resource}`));
        if (typeUrl === TypeUrl.cluster) {
          proxy.ads.subscribe(
            TypeUrl.endpoint,
            names.filter((cluster) => cluster.startsWith("outbound")),
          );
        }
        return new Map(Object.entries(proxy.refuse(update)));
      },
    };
  }
  proxy.ads = createAdsClient({
    target: `127.0.0.1:${port}`,
    node: create(NodeSchema, {
      id: `${role}~127.0.1.1~${name}.${namespace}~${namespace}.svc.cluster.local`,
      userAgentName: "limpid-sidecar",
      userAgentVersionType: { case: "userAgentVersion", value: "0.1.0" },
      metadata: { ...metadata, LABELS: { app: name, version: "v1" }, NAMESPACE: namespace },
    }),
    clock: systemClock,
    logger: silentLogger,
    backoff: { baseMs: 10, maxMs: 100 },
    handlers,
    onConnection: (state) => {
      if (state.state === "disconnected") proxy.lost.push(state.reason);
    },
  });
  for (const typeUrl of [TypeUrl.cluster, TypeUrl.listener, TypeUrl.virtualHost]) proxy.ads.subscribe(typeUrl, "*");
  proxy.ads.subscribe(TypeUrl.route, ["http_proxy"]);
  proxy.stop = () => proxy.ads.stop();
  closers.push(proxy.stop);
  proxy.ads.start();
  return proxy;
}

const inSync = (plane: ControlPlane, ids: number) =>
  vi.waitFor(async () => {
    const statuses = await fetchProxyStatuses(`127.0.0.1:${plane.addresses().xds}`, { contents: false });
    expect(statuses).toHaveLength(ids);
    for (const { types } of statuses) {
      for (const type of ["LDS", "RDS", "VHDS", "CDS"] as const) expect(types[type].state).toBe("SYNCED");
    }
    return statuses;
  }, 10_000);

test("a proxy that is not served is turned away with the reason", async () => {
  const plane = await startPlane(await storeWith(service("reviews")));
  const proxy = connect(plane.addresses().xds, "productpage", "default", "sidecar", { INTERCEPTION_MODE: "tproxy" });
  await vi.waitFor(() => expect(proxy.lost[0]).toContain('"tproxy" is not supported: NONE, REDIRECT, TPROXY'), 10_000);
  expect(proxy.received).toEqual([]);
});

test("a change goes as one virtual host to whom it concerns, and its way is told", async () => {
  const store = await storeWith(service("reviews") + service("ratings") + virtualService(80, 'exportTo: ["."]'));
  const plane = await startPlane(store);
  const { xds } = plane.addresses();
  const near = connect(xds, "productpage");
  const far = connect(xds, "productpage", "elsewhere");
  await inSync(plane, 2);
  expect(near.received).toContain("VirtualHost http_proxy/reviews.default.svc.cluster.local:9080");

  near.received.length = 0;
  far.received.length = 0;
  const { revision } = await put(store, virtualService(50, 'exportTo: ["."]'));
  const status = await plane.pushes.wait(revision, 5_000);
  expect(status).toMatchObject({
    revision,
    author: "test",
    complete: true,
    ms: expect.any(Number),
    proxies: [{ name: "productpage", state: "acked", error: null, ms: expect.any(Number) }],
  });
  expect(near.received).toEqual(["VirtualHost http_proxy/reviews.default.svc.cluster.local:9080"]);
  expect(far.received).toEqual([]);
  expect(plane.pushes.get("latest")?.revision).toBe(revision);
  expect(plane.pushes.affected([{ kind: "VirtualService", namespace: "default", name: "reviews" }])).toBe(1);
  expect(plane.pushes.affected([{ kind: "Service", namespace: "default", name: "reviews" }])).toBe(2);
  expect(plane.pushes.affected([{ kind: "Gateway", namespace: "default", name: "new" }])).toBe(0);
});

test("a push says who could not be told, until that proxy is back", async () => {
  const store = await storeWith(service("reviews") + service("ratings") + virtualService(80));
  const plane = await startPlane(store);
  const { xds } = plane.addresses();
  connect(xds, "productpage");
  const lost = connect(xds, "details");
  await inSync(plane, 2);
  lost.stop();
  await vi.waitFor(() => expect(plane.proxies.list().map(({ connected }) => connected)).toEqual([false, true]), 10_000);
  const { revision } = await put(store, virtualService(50));
  expect(await plane.pushes.wait(revision, 5_000)).toMatchObject({
    complete: true,
    proxies: [{ name: "productpage", state: "acked" }],
    missed: [{ name: "details", disconnectedAt: expect.any(Number) }],
  });
  connect(xds, "details");
  await vi.waitFor(() => expect(plane.pushes.get(revision)?.missed).toEqual([]), 10_000);
  const held = () => plane.proxies.list().map(({ name, heldRevision }) => [name, heldRevision]);
  await vi.waitFor(() => {
    expect(held()).toEqual([
      ["details", revision],
      ["productpage", revision],
    ]);
  }, 10_000);
});

test("a change that means nothing to any proxy is complete without a push", async () => {
  const store = await storeWith(service("reviews"));
  const plane = await startPlane(store);
  connect(plane.addresses().xds, "productpage");
  await inSync(plane, 1);
  const { revision } = await put(store, "apiVersion: v1\nkind: Namespace\nmetadata: { name: other }\n");
  expect(await plane.pushes.wait(revision, 5_000)).toMatchObject({ complete: true, ms: 0, proxies: [] });
});

test("a burst is pushed in a few responses, and every revision of it is answered", async () => {
  const store = await storeWith(service("reviews") + service("ratings") + virtualService(100));
  const plane = await startPlane(store);
  const proxy = connect(plane.addresses().xds, "productpage");
  await inSync(plane, 1);
  proxy.responses = 0;
  const commits = [];
  for (let weight = 1; weight <= 50; weight++) commits.push(await put(store, virtualService(weight)));
  for (const { revision } of commits) {
    expect(await plane.pushes.wait(revision, 5_000)).toMatchObject({ complete: true, proxies: [{ state: "acked" }] });
  }
  expect(proxy.responses).toBeLessThan(6);
});

test("a refusal names the resource, the reason and the config object; a correction clears it", async () => {
  const store = await storeWith(service("reviews") + service("ratings") + virtualService(80));
  const plane = await startPlane(store);
  const proxy = connect(plane.addresses().xds, "productpage");
  await inSync(plane, 1);
  const host = "http_proxy/reviews.default.svc.cluster.local:9080";
  proxy.refuse = ({ added }): Record<string, string> =>
    added.some(({ name }) => name === host) ? { [host]: "routes[0] is too odd" } : {};
  const bad = await put(store, virtualService(50));
  const origin = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";
  expect(await plane.pushes.wait(bad.revision, 5_000)).toMatchObject({
    complete: true,
    proxies: [{ state: "nacked", error: `VirtualHost ${host}: routes[0] is too odd (from ${origin})` }],
  });
  const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.addresses().xds}`, { contents: false });
  expect(status?.types.VHDS).toMatchObject({ state: "ERROR", errors: [{ resource: host, origin }], nacks: 1 });
  expect(plane.metrics.value("limpid_xds_nacks_total", { type: "VirtualHost" })).toBe(1);

  proxy.refuse = () => ({});
  const good = await put(store, virtualService(60));
  expect(await plane.pushes.wait(good.revision, 5_000)).toMatchObject({ proxies: [{ state: "acked", error: null }] });
  await inSync(plane, 1);
});

test("after a restart of the control plane only what changed meanwhile is sent", async () => {
  const store = await storeWith(service("reviews") + service("ratings") + virtualService(80));
  const first = await startPlane(store);
  const { xds } = first.addresses();
  const proxy = connect(xds, "productpage");
  await inSync(first, 1);
  await first.stop();
  proxy.received.length = 0;
  await put(store, virtualService(70));
  const second = await startPlane(store, { xdsPort: xds });
  await inSync(second, 1);
  expect(proxy.received).toEqual(["VirtualHost http_proxy/reviews.default.svc.cluster.local:9080"]);
});

test("a proxy that leaves does not hold up a push", async () => {
  const store = await storeWith(service("reviews") + service("ratings") + virtualService(80));
  const plane = await startPlane(store);
  const { xds } = plane.addresses();
  const [stays, leaves] = [connect(xds, "stays"), connect(xds, "leaves")];
  await inSync(plane, 2);
  leaves.refuse = () => {
    leaves.stop(); // dies while it applies the change
    return {};
  };
  const { revision } = await put(store, virtualService(50));
  const status = await plane.pushes.wait(revision, 5_000);
  expect(status?.complete).toBe(true);
  expect(status?.proxies.map(({ name, state }) => [name, state])).toEqual([
    ["leaves", "gone"],
    ["stays", "acked"],
  ]);
  expect(stays.ads.held(TypeUrl.virtualHost).size).toBeGreaterThan(0);
});

test("a node that cannot be served is turned away with the reason", async () => {
  const plane = await startPlane(await storeWith(service("reviews")));
  const reasons: string[] = [];
  const ads = createAdsClient({
    target: `127.0.0.1:${plane.addresses().xds}`,
    node: create(NodeSchema, { id: "who", metadata: { HTTP_PROXY_PORT: "none" } }),
    clock: systemClock,
    logger: silentLogger,
    handlers: { [TypeUrl.cluster]: { apply: () => new Map() } },
    onConnection: (event) => event.state === "disconnected" && reasons.push(event.reason),
  });
  closers.push(() => ads.stop());
  ads.subscribe(TypeUrl.cluster, "*");
  ads.start();
  await vi.waitFor(() =>
    expect(reasons[0]).toContain("node.metadata.HTTP_PROXY_PORT: must be an integer from 1 to 65535"),
  );
});

test("knows its services, and counts", async () => {
  const store = await storeWith(service("reviews"));
  const plane = await startPlane(store);
  expect(plane.ready()).toBe(true);
  expect((await plane.services()).map(({ name }) => name)).toEqual(["reviews"]);
  connect(plane.addresses().xds, "productpage");
  await inSync(plane, 1);
  expect(plane.metrics.text()).toContain('limpid_xds_pushes_total{type="Cluster"} 1');
  expect(plane.metrics.text()).toContain("limpid_xds_connected_proxies 1");
});
