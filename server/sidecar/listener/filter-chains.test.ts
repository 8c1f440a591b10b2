import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { maxClientHelloBytes } from "../tcp/client-hello.ts";
import { realHello } from "../tcp/testing/real-hello.ts";
import {
  eventually,
  Fixtures,
  listenerFrom,
  listenerJson,
  staticCluster,
  type TestPlane,
  toCluster,
} from "../test-plane.ts";
import { inspector, tcpChain } from "../tls/testing/contexts.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const tcp = (cluster: string, filter_chain_match?: JsonObject): JsonObject =>
  tcpChain(cluster, filter_chain_match && { filter_chain_match });
const http = (filter_chain_match: JsonObject): JsonObject => {
  const [chain] = listenerJson({ routes: [toCluster("web")] }).filter_chains as JsonObject[];
  return { ...chain, filter_chain_match };
};
const raw = { transport_protocol: "raw_buffer" };

/** Upstreams that say who they are once they have heard something, and a web server. */
async function clusters() {
  const says = (text: string) =>
    fixtures.tcp((socket) => {
      socket.once("data", (bytes) => socket.end(`${text} ${bytes.length}`));
    });
  return [
    staticCluster("a", [await says("a")]),
    staticCluster("b", [await says("b")]),
    staticCluster("web", [await fixtures.http((_, response) => void response.end("web"))]),
  ];
}

const start = async (filter_chains: JsonObject[], listener: JsonObject = {}) =>
  fixtures.plane({
    clusters: await clusters(),
    listener: { filter_chains, listener_filters: [inspector], ...listener },
  });

const helloTo = async (servername: string) => (await realHello({ servername })).toString("latin1");

/** All that comes back for some bytes; empty: closed without a word. */
async function answer({ port }: TestPlane, bytes: string): Promise<string> {
  const client = await fixtures.client(port);
  const text = await client.send(bytes).untilEnd();
  client.socket.end();
  return text.trim();
}
const get = "GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
const noMatch = (test: TestPlane) => test.counter("listener.127.0.0.1_0.no_filter_chain_match");

describe("a listener with several chains", () => {
  it("sends each connection the way of its server name, whole, and what is no TLS to HTTP", async () => {
    const test = await start([
      tcp("a", { server_names: ["a.example"] }),
      tcp("b", { server_names: ["*.example"] }),
      http(raw),
    ]);
    const [toA, toB] = [await helloTo("a.example"), await helloTo("x.example")];
    expect(await answer(test, toA)).toBe(`a ${toA.length}`);
    expect(await answer(test, toB)).toBe(`b ${toB.length}`);
    expect(await answer(test, get)).toMatch(/^HTTP\/1.1 200 OK[\s\S]*web$/);
    expect(await answer(test, await helloTo("else.where"))).toBe("");
    expect(noMatch(test)).toBe(1);
    expect(test.counter("tls_inspector.sni_found")).toBe(3);
    expect(test.counter("tls_inspector.tls_not_found")).toBe(1);
    await eventually(() => test.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
  });

  it("waits for the rest of a hello that comes in pieces", async () => {
    const test = await start([tcp("a", { server_names: ["a.example"] })]);
    const hello = await helloTo("a.example");
    const client = await fixtures.client(test.port);
    for (const cut of [1, 5, 100]) {
      client.send(hello.slice(cut === 1 ? 0 : cut === 5 ? 1 : 5, cut));
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.send(hello.slice(100));
    expect(await client.untilEnd()).toMatch(/^a \d+$/);
  });

  it("takes the default chain when no other matches", async () => {
    const test = await start([tcp("a", { server_names: ["a.example"] })], { default_filter_chain: tcp("b") });
    expect(await answer(test, await helloTo("c.example"))).toMatch(/^b /);
    expect(await answer(test, "plain")).toBe("b 5");
  });

  it("does not wait for a client that says nothing longer than it may", async () => {
    const silent = { listener_filters_timeout: "0.05s" };
    const closing = await start([tcp("a", { server_names: ["a.example"] })], silent);
    expect(await (await fixtures.client(closing.port)).untilEnd()).toBe("");
    expect(closing.counter("listener.127.0.0.1_0.downstream_pre_cx_timeout")).toBe(1);
    const going = await start([tcp("a", { server_names: ["a.example"] }), tcp("b", raw)], {
      ...silent,
      continue_on_listener_filters_timeout: true,
    });
    const client = await fixtures.client(going.port);
    await eventually(() => going.gauge("tcp.b.downstream_cx_active") === 1);
    expect(await client.send("late").untilEnd()).toBe("b 4");
  });

  it("closes on a hello that is too large, and forgets a client that goes in the middle", async () => {
    const test = await start([tcp("a", { server_names: ["a.example"] })]);
    const head = Buffer.from([22, 3, 1, 0x40, 0, 1, 0, 0, 0]);
    head.writeUIntBE(maxClientHelloBytes, 6, 3);
    expect(await answer(test, head.toString("latin1"))).toBe("");
    expect(test.counter("tls_inspector.client_hello_too_large")).toBe(1);
    const client = await fixtures.client(test.port);
    client.send("\x16\x03");
    client.socket.end();
    await client.untilEnd();
    await eventually(() => test.gauge("listener.127.0.0.1_0.downstream_cx_active") === 0);
  });

  it("without an inspector never knows a server name", async () => {
    const test = await start([tcp("a", { server_names: ["a.example"] }), tcp("b")], { listener_filters: [] });
    expect(await answer(test, await helloTo("a.example"))).toMatch(/^b /);
  });

  it("changes one chain and leaves the connections of the others alone", async () => {
    const test = await start([http(raw), tcp("a", { server_names: ["a.example"] })]);
    const kept = await fixtures.client(test.port);
    await kept.send("GET / HTTP/1.1\r\nhost: x\r\n\r\n").until((text) => text.endsWith("web"));
    const next = listenerFrom({
      ...listenerJson({}),
      listener_filters: [inspector],
      filter_chains: [http(raw), tcp("b", { server_names: ["a.example"] })],
    });
    expect(test.plane.setListener(next)).toEqual([]);
    expect(await answer(test, await helloTo("a.example"))).toMatch(/^b /);
    kept.received = "";
    expect(await kept.send(get).untilEnd()).toMatch(/200 OK[\s\S]*web$/);
  });

  it("is refused when two chains would take the same connection", async () => {
    const { plane } = await fixtures.plane({});
    const chains = [tcp("a", { server_names: ["a", "b"] }), tcp("b", { server_names: ["b"] })];
    expect(plane.setListener(listenerFrom({ ...listenerJson({}), filter_chains: chains }))).toEqual([
      "listener test: filter_chains[1].filter_chain_match: matches what filter_chains[0] does",
    ]);
  });
});
