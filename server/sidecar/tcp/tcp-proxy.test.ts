import { once } from "node:events";
import type { Socket } from "node:net";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { flagNames } from "../response-flags.ts";
import {
  clusterFrom,
  eventually,
  Fixtures,
  lbEndpoint,
  listenerFrom,
  listenerJson,
  staticCluster,
  type TestPlane,
} from "../test-plane.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const proxyFilter = (config: JsonObject): JsonValue => ({
  name: "envoy.filters.network.tcp_proxy",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
    stat_prefix: "db",
    access_log: [{ name: "test" }],
    ...config,
  },
});

const chains = (...list: JsonObject[]) => ({ listener: { filter_chains: list } });
const tcpTo = (cluster: string, config: JsonObject = {}) => chains({ filters: [proxyFilter({ cluster, ...config })] });

const echo = (socket: Socket) => void socket.pipe(socket);
const says = (text: string) => (socket: Socket) => void socket.end(text);

const lastFlags = ({ lastRecord }: TestPlane) => flagNames(lastRecord.responseFlags);
const recorded = (test: TestPlane, count = 1) => eventually(() => test.records.length === count, `${count} records`);

describe("a TCP proxy", () => {
  it("passes bytes both ways, and tells them at the end", async () => {
    const test = await fixtures.plane({ clusters: [staticCluster("up", [await fixtures.tcp(echo)])], ...tcpTo("up") });
    const client = await fixtures.client(test.port);
    client.send("hello");
    await client.until((text) => text === "hello");
    expect(test.gauge("cluster.up.upstream_cx_active")).toBe(1);
    expect(test.gauge("tcp.db.downstream_cx_active")).toBe(1);
    client.socket.end(" world");
    expect(await client.untilEnd()).toBe("hello world");
    await recorded(test);
    expect(test.lastRecord).toMatchObject({
      protocol: "",
      requestBodyBytes: 11,
      responseBodyBytes: 11,
      upstreamCluster: "up",
      upstreamRemoteAddress: "127.0.0.1",
      upstreamAttempts: 1,
      responseFlags: 0,
    });
    expect(test.counter("tcp.db.downstream_cx_rx_bytes_total")).toBe(11);
    expect(test.counter("cluster.up.upstream_cx_rx_bytes_total")).toBe(11);
    await eventually(() => test.gauge("cluster.up.upstream_cx_active") === 0);
  });

  it("goes to the endpoints whose metadata is what it asks for, and nowhere where there are none", async () => {
    const versions = { a: "1", b: "2", c: "2" };
    const lb_endpoints = await Promise.all(
      Object.entries(versions).map(async ([text, version]) => ({
        ...lbEndpoint(await fixtures.tcp(says(text))),
        metadata: { filter_metadata: { "envoy.lb": { version } } },
      })),
    );
    const up = {
      ...staticCluster("up", []),
      load_assignment: { cluster_name: "up", endpoints: [{ lb_endpoints }] },
      lb_subset_config: { subset_selectors: [{ keys: ["version"] }] },
    };
    const lb = (version: string) => ({ filter_metadata: { "envoy.lb": { version } } });
    const answers = async (config: JsonObject) => {
      const test = await fixtures.plane({ clusters: [up], ...chains({ filters: [proxyFilter(config)] }) });
      const seen = new Set<string>();
      for (let i = 0; i < 4; i++) seen.add(await (await fixtures.client(test.port)).untilEnd());
      return [...seen].sort();
    };
    expect(await answers({ cluster: "up", metadata_match: lb("2") })).toEqual(["b", "c"]);
    expect(await answers({ cluster: "up", metadata_match: lb("3") })).toEqual([""]);
    const clusters = [{ name: "up", weight: 1, metadata_match: lb("1") }];
    expect(await answers({ weighted_clusters: { clusters }, metadata_match: lb("2") })).toEqual(["a"]);
  });

  it("sends an address to one endpoint where it hashes it, and to any where it doesn't", async () => {
    const ports = await Promise.all(["a", "b", "c", "d"].map((text) => fixtures.tcp(says(text))));
    const clusters = [staticCluster("up", ports, { lb_policy: "MAGLEV", maglev_lb_config: { table_size: 251 } })];
    const answers = async (config: JsonObject) => {
      const test = await fixtures.plane({ clusters, ...tcpTo("up", config) });
      const seen = new Set<string>();
      for (let i = 0; i < 30; i++) seen.add(await (await fixtures.client(test.port)).untilEnd());
      return seen.size;
    };
    expect(await answers({ hash_policy: [{ source_ip: {} }] })).toBe(1);
    // One and the same 30 times by chance: 4⁻²⁹.
    expect(await answers({})).toBeGreaterThan(1);
  });

  it("keeps each direction open until its own end", async () => {
    let atServer = "";
    const port = await fixtures.tcp((socket) => {
      // The server speaks first and finishes first, then goes on reading.
      socket.allowHalfOpen = true;
      socket.end("banner");
      socket.on("data", (bytes) => {
        atServer += bytes;
      });
    });
    const test = await fixtures.plane({ clusters: [staticCluster("up", [port])], ...tcpTo("up") });
    const client = await fixtures.client(test.port);
    await client.untilEnd();
    expect(client.received).toBe("banner");
    client.send("still here");
    await eventually(() => atServer === "still here");
    expect(test.records).toHaveLength(0);
    client.socket.end();
    await recorded(test);
  });

  it("has the answer for a client that says nothing and ends at once", async () => {
    const port = await fixtures.tcp((socket) => {
      socket.on("end", () => socket.end("bye"));
      socket.resume();
    });
    const test = await fixtures.plane({ clusters: [staticCluster("up", [port])], ...tcpTo("up") });
    const client = await fixtures.client(test.port);
    client.socket.end();
    expect(await client.untilEnd()).toBe("bye");
    await recorded(test);
  });

  it("slows down a sender whose reader is slow, both ways, and loses nothing", async () => {
    const size = 20_000_000;
    let server: Socket | undefined;
    const port = await fixtures.tcp((socket) => {
      server = socket;
      socket.pause();
    });
    const test = await fixtures.plane({ clusters: [staticCluster("up", [port])], ...tcpTo("up") });
    const client = await fixtures.client(test.port);
    await eventually(() => server !== undefined);
    client.socket.write(Buffer.alloc(size, "x"));
    await eventually(() => test.counter("tcp.db.downstream_flow_control_paused_reading_total") > 0);
    // What is under way is bounded by the sockets' buffers, not by what is to come.
    expect(test.counter("tcp.db.downstream_cx_rx_bytes_total")).toBeLessThan(size);
    let received = 0;
    server?.on("data", (bytes) => {
      received += bytes.length;
    });
    server?.resume();
    await eventually(() => received === size, "all bytes at the server");

    client.socket.pause();
    server?.write(Buffer.alloc(size, "y"));
    await eventually(() => test.counter("tcp.db.downstream_cx_tx_bytes_total") > 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(test.counter("tcp.db.downstream_cx_tx_bytes_total")).toBeLessThan(size);
    client.socket.resume();
    await eventually(() => client.received.length === size, "all bytes at the client");
  });

  it("splits connections by weight", async () => {
    const [one, two] = [await fixtures.tcp(says("1")), await fixtures.tcp(says("2"))];
    let at = 0;
    const test = await fixtures.plane({
      clusters: [staticCluster("one", [one]), staticCluster("two", [two])],
      random: () => (at++ % 10) / 10,
      ...chains({
        filters: [
          proxyFilter({
            weighted_clusters: {
              clusters: [
                { name: "one", weight: 80 },
                { name: "two", weight: 20 },
              ],
            },
          }),
        ],
      }),
    });
    let answers = "";
    for (let i = 0; i < 10; i++) answers += await (await fixtures.client(test.port)).untilEnd();
    expect([...answers].sort().join("")).toBe("1111111122");
  });

  it("tries other endpoints as often as it may", async () => {
    const up = await fixtures.tcp(says("up"));
    const test = await fixtures.plane({
      clusters: [staticCluster("some", [1, up]), staticCluster("dead", [1])],
      ...tcpTo("some", { max_connect_attempts: 2 }),
    });
    for (let i = 0; i < 4; i++) {
      const client = await fixtures.client(test.port);
      expect(await client.untilEnd()).toBe("up");
      client.socket.end();
    }
    await recorded(test, 4);
    expect(test.counter("cluster.some.upstream_cx_connect_fail")).toBeGreaterThan(0);
    expect(test.records.map((record) => record.upstreamAttempts)).toContain(2);
  });

  it.each<[string, JsonObject, string[]]>([
    ["no such cluster", { cluster: "nowhere" }, ["NC"]],
    ["no endpoint", { cluster: "empty" }, ["UH"]],
    ["nobody listens", { cluster: "dead" }, ["UF", "URX"]],
    ["nobody listens, twice", { cluster: "dead", max_connect_attempts: 2 }, ["UF", "URX"]],
  ])("closes when there is nobody to talk to: %s", async (_, config, flags) => {
    const test = await fixtures.plane({
      clusters: [staticCluster("empty", []), staticCluster("dead", [1])],
      ...chains({ filters: [proxyFilter(config)] }),
    });
    const client = await fixtures.client(test.port);
    expect(await client.untilEnd()).toBe("");
    await recorded(test);
    expect(lastFlags(test).sort()).toEqual(flags);
  });

  it("holds to max_connections", async () => {
    const test = await fixtures.plane({
      clusters: [
        staticCluster("up", [await fixtures.tcp(echo)], { circuit_breakers: { thresholds: [{ max_connections: 1 }] } }),
      ],
      ...tcpTo("up"),
    });
    const first = await fixtures.client(test.port);
    await first.send("a").until((text) => text === "a");
    const second = await fixtures.client(test.port);
    expect(await second.untilEnd()).toBe("");
    await recorded(test);
    expect(lastFlags(test)).toEqual(["UO"]);
    expect(test.counter("cluster.up.upstream_cx_overflow")).toBe(1);
    first.socket.end();
    await recorded(test, 2);
    await (await fixtures.client(test.port)).send("b").until((text) => text === "b");
  });

  it("ends what is idle, and what is old", async () => {
    const up = await fixtures.tcp(echo);
    const idle = await fixtures.plane({
      clusters: [staticCluster("up", [up])],
      ...tcpTo("up", { idle_timeout: "0.05s" }),
    });
    expect(await (await fixtures.client(idle.port)).untilEnd()).toBe("");
    expect(idle.counter("tcp.db.idle_timeout")).toBe(1);
    const old = await fixtures.plane({
      clusters: [staticCluster("up", [up])],
      ...tcpTo("up", { max_downstream_connection_duration: "0.05s" }),
    });
    await (await fixtures.client(old.port)).untilEnd();
    expect(old.counter("tcp.db.max_downstream_connection_duration")).toBe(1);
  });

  it("passes a reset on as one", async () => {
    const port = await fixtures.tcp((socket) => void socket.once("data", () => socket.resetAndDestroy()));
    const test = await fixtures.plane({ clusters: [staticCluster("up", [port])], ...tcpTo("up") });
    const client = await fixtures.client(test.port);
    client.send("x");
    const [error] = await once(client.socket, "error");
    expect((error as NodeJS.ErrnoException).code).toBe("ECONNRESET");
    await recorded(test);
    expect(lastFlags(test)).toEqual(["UC"]);
  });

  it("a change of chains leaves connections alone, and new ones take the new way", async () => {
    const test = await fixtures.plane({
      clusters: [
        staticCluster("old", [await fixtures.tcp(echo)]),
        staticCluster("new", [await fixtures.tcp(says("new"))]),
      ],
      ...tcpTo("old"),
    });
    const client = await fixtures.client(test.port);
    await client.send("a").until((text) => text === "a");
    expect(test.plane.setListener(listenerFrom(listenerJson(tcpTo("new"))))).toEqual([]);
    expect(await (await fixtures.client(test.port)).untilEnd()).toBe("new");
    expect(test.plane.setCluster(clusterFrom(staticCluster("old", [])))).toEqual([]);
    test.plane.removeCluster("old");
    await client.send("b").until((text) => text === "ab");
  });

  it("a drain lets connections end, and then breaks them off", async () => {
    const test = await fixtures.plane({ clusters: [staticCluster("up", [await fixtures.tcp(echo)])], ...tcpTo("up") });
    const client = await fixtures.client(test.port);
    await client.send("a").until((text) => text === "a");
    const drained = test.plane.drain(50);
    await client.send("b").until((text) => text === "ab");
    await drained;
    await client.untilEnd();
  });

  it.each<[string, JsonObject, string]>([
    [
      "a tunnel to nowhere",
      { cluster: "up", tunneling_config: {} },
      "typed_config.tunneling_config.hostname: required",
    ],
    ["no cluster", {}, "typed_config.cluster_specifier: required"],
    ["a weight of 0", { weighted_clusters: { clusters: [{ name: "a" }] } }, "weighted_clusters.clusters[0].weight"],
  ])("refuses %s by name", async (_, config, error) => {
    const test = await fixtures.plane({});
    const json = listenerJson(chains({ filters: [proxyFilter(config)] }));
    const [first] = test.plane.setListener(listenerFrom({ ...json, name: "other" }));
    expect(first).toContain(`filter_chains[0].filters[0].`);
    expect(first).toContain(error);
  });
});
