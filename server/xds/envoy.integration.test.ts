import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test, vi } from "vitest";
import { systemClock } from "../lib/clock.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer, type XdsServer } from "./ads-server.ts";
import { fetchProxyStatuses } from "./csds-client.ts";
import type { Session } from "./session.ts";
import { createSnapshot, type SnapshotMessages } from "./snapshot.ts";
import { type Envoy, envoyMissing, freePort, startEnvoy } from "./testing/envoy.ts";
import {
  badVirtualHost,
  testCluster,
  testEndpoints,
  testListener,
  testMessages,
  testRoutes,
  testShell,
  testVirtualHost,
  virtualHostJson,
  withEntry,
} from "./testing/messages.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A control plane that gives every client the same messages, and records what it pushed. */
class TestControlPlane {
  messages: SnapshotMessages;
  revision = 1;
  port = 0;
  readonly pushes: { type: string; resources: string[]; removed: readonly string[]; bytes: number }[] = [];
  readonly nacks: { type: string; refused: Record<string, string>; message: string }[] = [];
  settled = 0;
  #server: XdsServer | undefined;

  constructor(messages: SnapshotMessages) {
    this.messages = messages;
    closers.push(() => this.stop());
  }

  async start(): Promise<void> {
    const server = createXdsServer({
      port: this.port,
      clock: systemClock,
      logger: silentLogger,
      events: {
        connected: (session) => session.publish(createSnapshot(this.revision, this.messages)),
        disconnected: () => {},
        pushed: (_, typeUrl, push) =>
          this.pushes.push({
            type: short(typeUrl),
            resources: push.resources.map((resource) => resource.name),
            removed: push.removed,
            bytes: push.resources.reduce((sum, resource) => sum + resource.value.length, 0),
          }),
        nacked: (_, typeUrl, refused, message) =>
          this.nacks.push({ type: short(typeUrl), refused: Object.fromEntries(refused), message }),
        settled: (_, revision) => {
          this.settled = revision;
        },
      },
    });
    this.#server = server;
    this.port = await server.start();
  }

  async stop(): Promise<void> {
    await this.#server?.stop(200);
    this.#server = undefined;
  }

  get sessions(): readonly Session[] {
    return this.#server?.sessions() ?? [];
  }

  publish(change: Partial<SnapshotMessages>): void {
    this.messages = { ...this.messages, ...change };
    this.revision += 1;
    for (const session of this.sessions) session.publish(createSnapshot(this.revision, this.messages));
  }

  /** Publishes, and waits until every client has answered. */
  async settle(change: Partial<SnapshotMessages>): Promise<void> {
    this.pushes.length = 0;
    this.nacks.length = 0;
    this.publish(change);
    await vi.waitFor(() => expect(this.settled).toBe(this.revision), { timeout: 10_000 });
  }
}

const short = (typeUrl: string) => typeUrl.slice(typeUrl.lastIndexOf(".") + 1);

async function upstream(body = "hello"): Promise<number> {
  const server = createServer((_, response) => response.end(body));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

function call(port: number, host: string): Promise<{ status: number; marker: string; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", headers: { host }, agent: false }, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, marker: String(response.headers["x-marker"] ?? ""), body }),
      );
    });
    sent.on("error", reject);
    sent.end();
  });
}

const waitForCall = (port: number, host: string, expected: Partial<Awaited<ReturnType<typeof call>>>) =>
  vi.waitFor(async () => expect(await call(port, host)).toMatchObject(expected), { timeout: 10_000, interval: 20 });

async function setUp(api: "DELTA_GRPC" | "GRPC", services = 3) {
  const [listenerPort, upstreamPort] = [await freePort(), await upstream()];
  const plane = new TestControlPlane(
    testMessages({ listenerPort, upstreamPort, services, vhds: api === "DELTA_GRPC" }),
  );
  await plane.start();
  const id = "sidecar~127.0.0.1~test.default~default.svc.cluster.local";
  const envoy: Envoy = await startEnvoy({ id, xdsPort: plane.port, api });
  closers.push(() => envoy.stop());
  await waitForCall(listenerPort, "s0", { status: 200, marker: "v1" });
  await vi.waitFor(() => expect(plane.settled).toBe(1));
  return { plane, envoy, listenerPort, upstreamPort, id };
}

describe.skipIf(envoyMissing)("Envoy on the incremental protocol", () => {
  test("gets everything in order, and one changed virtual host alone", async () => {
    const { plane, listenerPort } = await setUp("DELTA_GRPC", 50);
    const order = plane.pushes.map((push) => push.type);
    expect([...new Set(order)]).toEqual([
      "Cluster",
      "ClusterLoadAssignment",
      "Listener",
      "RouteConfiguration",
      "VirtualHost",
    ]);
    await plane.settle({
      virtualHosts: withEntry(plane.messages.virtualHosts, "http_proxy/s1", testVirtualHost("s1", "s1", "v2")),
    });
    expect(plane.pushes).toMatchObject([{ type: "VirtualHost", resources: ["http_proxy/s1"], removed: [] }]);
    expect(plane.pushes[0]?.bytes).toBeLessThan(200);
    await waitForCall(listenerPort, "s1", { marker: "v2" });
    expect(await call(listenerPort, "s0")).toMatchObject({ marker: "v1" });

    await plane.settle({ virtualHosts: withEntry(plane.messages.virtualHosts, "http_proxy/s1", undefined) });
    expect(plane.pushes).toMatchObject([{ type: "VirtualHost", resources: [], removed: ["http_proxy/s1"] }]);
    await waitForCall(listenerPort, "s1", { status: 404 });
  });

  test("a bad virtual host is refused by name, the good ones of the same push are in force", async () => {
    const { plane, listenerPort, id } = await setUp("DELTA_GRPC", 8);
    const origin = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/s3";
    const virtualHosts = new Map(plane.messages.virtualHosts);
    for (let i = 0; i < 8; i++) virtualHosts.set(`http_proxy/s${i}`, testVirtualHost(`s${i}`, `s${i}`, "v2"));
    virtualHosts.set("http_proxy/s3", badVirtualHost("s3", origin));
    await plane.settle({ virtualHosts });
    for (const i of [0, 1, 2, 4, 5, 6, 7]) await waitForCall(listenerPort, `s${i}`, { marker: "v2" });
    expect(await call(listenerPort, "s3")).toMatchObject({ marker: "v1" });
    expect(plane.nacks.at(-1)).toMatchObject({
      type: "VirtualHost",
      refused: { "http_proxy/s3": expect.stringContaining("unclosed") },
    });

    const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.port}`, { nodeId: id, contents: true });
    expect(status?.types.VHDS).toMatchObject({
      state: "ERROR",
      errors: [{ resource: "http_proxy/s3", detail: expect.stringContaining("unclosed"), origin }],
    });
    const refused = status?.resources.find((resource) => resource.name === "http_proxy/s3");
    expect(JSON.stringify(refused?.config)).toContain('"v1"');
    expect(JSON.stringify(refused?.refusedConfig)).toContain("unclosed");

    // Another change does not bring the refused one along; its own correction does.
    await plane.settle({
      virtualHosts: withEntry(plane.messages.virtualHosts, "http_proxy/s0", testVirtualHost("s0", "s0", "v3")),
    });
    expect(plane.pushes.map((push) => push.resources)).toEqual([["http_proxy/s0"]]);
    await plane.settle({
      virtualHosts: withEntry(plane.messages.virtualHosts, "http_proxy/s3", testVirtualHost("s3", "s3", "v3")),
    });
    await waitForCall(listenerPort, "s3", { marker: "v3" });
    const [after] = await fetchProxyStatuses(`127.0.0.1:${plane.port}`, { contents: false });
    expect(after?.types.VHDS).toMatchObject({ state: "SYNCED", errors: [] });
  });

  test("a bad listener and a bad cluster do not hold up good ones", async () => {
    const { plane, upstreamPort } = await setUp("DELTA_GRPC");
    const [goodPort, clash] = [await freePort(), testListener("clash", 1, "http_proxy")];
    const badCluster = testCluster("bad");
    badCluster.lbPolicy = 99 as never;
    await plane.settle({
      listeners: new Map([
        ...plane.messages.listeners,
        ["clash", { ...clash, filterChains: [] }],
        ["good", testListener("good", goodPort, "http_proxy")],
      ]),
      clusters: new Map([...plane.messages.clusters, ["bad", badCluster], ["fresh", testCluster("fresh")]]),
      endpoints: withEntry(plane.messages.endpoints, "fresh", testEndpoints("fresh", upstreamPort)),
      virtualHosts: withEntry(plane.messages.virtualHosts, "http_proxy/fresh", testVirtualHost("fresh", "fresh", "v1")),
    });
    await waitForCall(goodPort, "fresh", { status: 200, marker: "v1" });
    const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.port}`, { contents: false });
    expect(status?.types.LDS.errors.map((error) => error.resource)).toEqual(["clash"]);
    expect(status?.types.CDS.errors.map((error) => error.resource)).toEqual(["bad"]);
  });

  test("a changed cluster warms at once, since its endpoints follow it", async () => {
    const { plane, envoy, listenerPort } = await setUp("DELTA_GRPC");
    await plane.settle({ clusters: withEntry(plane.messages.clusters, "s0", testCluster("s0", "3s")) });
    expect(plane.pushes.map(({ type, resources }) => [type, ...resources])).toEqual([
      ["Cluster", "s0"],
      ["ClusterLoadAssignment", "s0"],
    ]);
    await vi.waitFor(
      async () => expect(await envoy.admin("/config_dump?resource=dynamic_active_clusters")).toContain("3s"),
      10_000,
    );
    expect(await call(listenerPort, "s0")).toMatchObject({ status: 200 });
  });

  test("a second route configuration with VHDS gets its virtual hosts", async () => {
    const { plane } = await setUp("DELTA_GRPC");
    const port = await freePort();
    await plane.settle({
      listeners: withEntry(plane.messages.listeners, "second", testListener("second", port, "second")),
      routes: withEntry(plane.messages.routes, "second", testShell("second")),
      virtualHosts: withEntry(plane.messages.virtualHosts, "second/s0", testVirtualHost("s0", "s0", "second")),
    });
    await waitForCall(port, "s0", { status: 200, marker: "second" });
  });

  test("a listener that is replaced, or gone and back, still has its virtual hosts", async () => {
    const { plane, listenerPort } = await setUp("DELTA_GRPC");
    const original = plane.messages.listeners;
    const [moved, renamed] = [await freePort(), await freePort()];
    await plane.settle({ listeners: new Map([["outbound", testListener("outbound", moved, "http_proxy")]]) });
    await waitForCall(moved, "s0", { status: 200, marker: "v1" });
    await plane.settle({ listeners: new Map([["renamed", testListener("renamed", renamed, "http_proxy")]]) });
    await waitForCall(renamed, "s0", { status: 200, marker: "v1" });
    await plane.settle({ listeners: new Map(), routes: new Map(), virtualHosts: new Map() });
    await vi.waitFor(() => expect(call(renamed, "s0")).rejects.toThrow(), { timeout: 10_000 });
    await plane.settle({
      listeners: original,
      routes: new Map([["http_proxy", testShell("http_proxy")]]),
      virtualHosts: new Map([["http_proxy/s0", testVirtualHost("s0", "s0", "back")]]),
    });
    await waitForCall(listenerPort, "s0", { status: 200, marker: "back" });
  });

  test("a changed route configuration keeps its virtual hosts", async () => {
    const { plane, listenerPort } = await setUp("DELTA_GRPC");
    const shell = { ...testShell("http_proxy"), maxDirectResponseBodySizeBytes: 99 };
    await plane.settle({ routes: new Map([["http_proxy", shell]]) });
    expect(plane.pushes.map(({ type }) => type)).toEqual(["RouteConfiguration", "VirtualHost"]);
    for (const name of ["s0", "s1", "s2"]) await waitForCall(listenerPort, name, { status: 200, marker: "v1" });
  });

  test("a control plane that comes back sends nothing that is unchanged", async () => {
    const { plane, envoy, listenerPort } = await setUp("DELTA_GRPC", 20);
    await plane.stop();
    await vi.waitFor(async () =>
      expect(await envoy.admin("/stats?filter=control_plane.connected_state")).toContain(": 0"),
    );
    plane.pushes.length = 0;
    plane.settled = 0;
    // Equal content in other objects, as after a restart of the process; one thing really differs.
    const [again, changed] = [plane.messages, testVirtualHost("s7", "s7", "v2")];
    plane.messages = structuredClone({
      ...again,
      virtualHosts: withEntry(again.virtualHosts, "http_proxy/s7", changed),
    });
    await plane.start();
    await waitForCall(listenerPort, "s7", { marker: "v2" });
    await vi.waitFor(() => expect(plane.settled).toBe(plane.revision));
    expect(plane.pushes.flatMap((push) => push.resources)).toEqual(["http_proxy/s7"]);
  });

  test("removals come last: no request meets a missing cluster", async () => {
    const { plane, listenerPort, upstreamPort } = await setUp("DELTA_GRPC");
    let running = true;
    const statuses = new Set<number>();
    const load = (async () => {
      while (running) statuses.add((await call(listenerPort, "s0")).status);
    })();
    for (let round = 0; round < 5; round++) {
      const [old, next] = [round === 0 ? "s0" : `s0-${round - 1}`, `s0-${round}`];
      await plane.settle({
        clusters: withEntry(withEntry(plane.messages.clusters, old, undefined), next, testCluster(next)),
        endpoints: withEntry(
          withEntry(plane.messages.endpoints, old, undefined),
          next,
          testEndpoints(next, upstreamPort),
        ),
        virtualHosts: withEntry(plane.messages.virtualHosts, "http_proxy/s0", testVirtualHost("s0", next, "v1")),
      });
    }
    running = false;
    await load;
    expect([...statuses]).toEqual([200]);
  });
});

describe.skipIf(envoyMissing)("Envoy on the state-of-the-world protocol", () => {
  const routes = (markers: string[]) =>
    new Map([
      [
        "http_proxy",
        testRoutes(
          "http_proxy",
          markers.map((marker, i) => virtualHostJson(`s${i}`, `s${i}`, marker)),
        ),
      ],
    ]);

  test("serves, takes a change, refuses a bad resource, and resumes", async () => {
    const { plane, envoy, listenerPort, upstreamPort } = await setUp("GRPC");
    expect(plane.pushes.map((push) => push.type)).not.toContain("VirtualHost");
    await plane.settle({ routes: routes(["v1", "v2", "v1"]) });
    expect(plane.pushes).toMatchObject([{ type: "RouteConfiguration" }]);
    await waitForCall(listenerPort, "s1", { marker: "v2" });

    const badCluster = testCluster("bad");
    badCluster.lbPolicy = 99 as never;
    await plane.settle({
      clusters: new Map([...plane.messages.clusters, ["bad", badCluster], ["fresh", testCluster("fresh")]]),
      endpoints: withEntry(plane.messages.endpoints, "fresh", testEndpoints("fresh", upstreamPort)),
    });
    expect(plane.nacks).toMatchObject([{ refused: {} }, { type: "Cluster", refused: { bad: expect.any(String) } }]);
    await vi.waitFor(async () => expect((await envoy.admin("/clusters")).includes("fresh::127.0.0.1")).toBe(true));

    await plane.settle({
      clusters: withEntry(withEntry(plane.messages.clusters, "bad", undefined), "fresh", undefined),
    });
    await vi.waitFor(async () => expect(await envoy.admin("/clusters")).not.toContain("fresh::"));
    const [status] = await fetchProxyStatuses(`127.0.0.1:${plane.port}`, { contents: false });
    expect(status).toMatchObject({
      protocol: "sotw",
      types: { CDS: { state: "SYNCED", resources: 3 }, RDS: { state: "SYNCED" } },
    });
    expect(status?.implementation).toMatch(/^envoy 1\./);
  });

  test("a control plane that comes back answers everything, which changes nothing", async () => {
    const { plane, envoy, listenerPort } = await setUp("GRPC");
    const changes = async () => {
      const stats = await envoy.admin("/stats?filter=(cluster|listener)_(added|modified|removed|in_place_updated)$");
      return stats.split("\n").filter((line) => !line.startsWith("http."));
    };
    const before = await changes();
    await plane.stop();
    await vi.waitFor(async () =>
      expect(await envoy.admin("/stats?filter=control_plane.connected_state")).toContain(": 0"),
    );
    plane.pushes.length = 0;
    plane.settled = 0;
    await plane.start();
    await vi.waitFor(() => expect(plane.settled).toBe(plane.revision), 20_000);
    const again = new Set(plane.pushes.map(({ type }) => type));
    expect([...again].sort()).toEqual(["Cluster", "ClusterLoadAssignment", "Listener", "RouteConfiguration"]);
    expect(await changes()).toEqual(before);
    await plane.settle({ routes: routes(["v1", "v2", "v1"]) });
    await waitForCall(listenerPort, "s1", { marker: "v2" });
  });
});
