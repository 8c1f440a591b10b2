import { once } from "node:events";
import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from "node:http2";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { staticCluster, toCluster } from "../../test-plane.ts";
import { BesideEnvoy, envoyMissing } from "../../testing/beside-envoy.ts";

// CONNECT and upgrades by route through real Envoy and through our data path: the same tunnels, and the same refusals.

const both = new BesideEnvoy();

/** What an upstream was asked, without what differs. */
const asked: string[] = [];

beforeAll(async () => {
  if (envoyMissing) return;
  const echo = await both.fixtures.tcp((socket) => void socket.on("data", (bytes) => socket.write(`<${bytes}>`)));
  const proxy = await both.fixtures.tcp((socket) => {
    socket.once("data", (bytes) => {
      const head = bytes.toString("latin1");
      asked.push(
        head
          .split("\r\n")
          .filter((line) => !/^x-request-id|^$/i.test(line))
          .sort()
          .join("\n"),
      );
      if (head.includes("refused.test")) socket.end("HTTP/1.1 407 Who\r\ncontent-length: 2\r\n\r\nno");
      else if (head.toLowerCase().includes("upgrade: websocket")) {
        socket.write(
          "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\nx-up: 1\r\n\r\n",
        );
      } else
        socket.write(`HTTP/1.1 200 OK\r\nx-up: 1\r\n${head.startsWith("CONNECT") ? "" : "content-length: 0\r\n"}\r\n`);
      socket.on("data", (more) => socket.write(`<${more}>`));
    });
  });
  const probe = await both.fixtures.tcp(() => {});
  const clusters: JsonValue[] = [
    staticCluster("echo", [echo]),
    staticCluster("proxy", [proxy]),
    staticCluster("none", []),
    staticCluster("dead", [1]),
  ];
  expect(probe).toBeGreaterThan(0);
  const host = (domain: string, routes: JsonObject[]): JsonObject => ({
    name: domain,
    domains: [domain, `${domain}:*`, `${domain}:80`].slice(0, 1).concat(`${domain}:80`),
    routes,
  });
  const tunnel = (cluster: string, upgrade: JsonObject): JsonObject => ({
    match: { connect_matcher: {} },
    route: { cluster, upgrade_configs: [upgrade] },
  });
  const ends = { upgrade_type: "CONNECT", connect_config: {} };
  const hosts: JsonObject[] = [
    host("ends.test", [tunnel("echo", ends)]),
    host("passes.test", [tunnel("proxy", { upgrade_type: "CONNECT" })]),
    host("refused.test", [tunnel("proxy", { upgrade_type: "CONNECT" })]),
    host("off.test", [tunnel("echo", { upgrade_type: "CONNECT", enabled: false })]),
    host("plain.test", [{ match: { connect_matcher: {} }, route: { cluster: "echo" } }]),
    host("empty.test", [tunnel("none", ends)]),
    host("dead.test", [tunnel("dead", ends)]),
    host("nowhere.test", [toCluster("proxy")]),
    host("on.ws", [
      { match: { prefix: "/" }, route: { cluster: "proxy", upgrade_configs: [{ upgrade_type: "websocket" }] } },
    ]),
    host("off.ws", [
      {
        match: { prefix: "/" },
        route: { cluster: "proxy", upgrade_configs: [{ upgrade_type: "WebSocket", enabled: false }] },
      },
    ]),
    host("plain.ws", [toCluster("proxy")]),
  ];
  const listener = (manager: JsonObject) => ({
    clusters,
    hosts,
    manager: { ...manager, http2_protocol_options: { allow_connect: true } },
  });
  await both.start(
    {
      without: listener({}),
      with: listener({ upgrade_configs: [{ upgrade_type: "CONNECT" }, { upgrade_type: "websocket" }] }),
    },
    {},
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %REQ(:METHOD)% %REQ(:AUTHORITY)% %PATH%",
  );
}, 90_000);

afterAll(() => both.close());

/** Sends a head, then bytes once it is answered, and gives what came back, made comparable. */
async function tunnel(port: number, head: string): Promise<string> {
  const client = await both.fixtures.client(port);
  client.send(`${head}\r\n\r\n`);
  await client.until((text) => text.includes("\r\n\r\n"));
  const opened = /^HTTP\/1.1 (200|101)/.test(client.received);
  if (opened) {
    client.send("hello");
    await client.until((text) => text.endsWith("<hello>"));
    client.send("again");
    await client.until((text) => text.endsWith("<again>"));
    client.socket.end();
  }
  const received = opened ? client.received : await client.untilEnd();
  const [lines = "", ...rest] = received.split("\r\n\r\n");
  const [status, ...fields] = lines.split("\r\n");
  const kept = fields.filter((line) => !/^(date|x-envoy-upstream-service-time):/i.test(line)).sort();
  return [status?.slice(0, 12), ...kept, rest.join("\r\n\r\n")].join("\n");
}

/** The same over HTTP/2, of which a tunnel is a stream. */
async function tunnelHttp2(port: number, headers: OutgoingHttpHeaders) {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  session.on("error", () => {});
  await once(session, "remoteSettings");
  const stream = session.request({ ":method": "CONNECT", ...headers }, { endStream: false });
  stream.on("error", () => {});
  let text = "";
  stream.on("data", (bytes) => {
    text += bytes;
  });
  const [head] = (await once(stream, "response")) as [IncomingHttpHeaders];
  const until = (met: () => boolean) => vi.waitFor(() => expect([met(), text]).toEqual([true, text]), 10_000);
  if (Number(head[":status"]) === 200) {
    for (const word of ["hello", "again"]) {
      stream.write(word);
      await until(() => text.endsWith(`<${word}>`));
    }
  } else await until(() => text.length === Number(head["content-length"] ?? 0));
  session.destroy();
  const kept = Object.entries(head).filter(([field]) => !["date", "x-envoy-upstream-service-time"].includes(field));
  return { head: Object.fromEntries(kept), text };
}

const connect = (host: string) => `CONNECT ${host} HTTP/1.1\r\nHost: ${host}`;
const upgrade = (host: string) =>
  `GET /chat HTTP/1.1\r\nHost: ${host}\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x`;

const requests: [string, string][] = [
  ["a tunnel that ends here", connect("ends.test:80")],
  ["a tunnel that is passed on", connect("passes.test:80")],
  ["one that the next proxy turns down", connect("refused.test:80")],
  ["one that its route turns off", connect("off.test:80")],
  ["one of which its route says nothing", connect("plain.test:80")],
  ["a cluster without hosts", connect("empty.test:80")],
  ["a host that does not answer", connect("dead.test:80")],
  ["no route for it", connect("nowhere.test:80")],
  ["no host", connect("unknown.test:80")],
  ["a WebSocket that its route turns on", upgrade("on.ws")],
  ["a WebSocket that its route turns off", upgrade("off.ws")],
  ["a WebSocket of which its route says nothing", upgrade("plain.ws")],
];

const webSocket = (host: string) => ({
  ":protocol": "websocket",
  ":scheme": "http",
  ":path": "/chat",
  ":authority": host,
});

const streams: [string, OutgoingHttpHeaders][] = [
  ...["ends", "passes", "off", "empty", "dead", "nowhere", "unknown"].map((name): [string, OutgoingHttpHeaders] => [
    `CONNECT ${name}.test`,
    { ":authority": `${name}.test:80` },
  ]),
  ...["on.ws", "off.ws", "plain.ws"].map((name): [string, OutgoingHttpHeaders] => [
    `a WebSocket of ${name}`,
    webSocket(name),
  ]),
];

describe.skipIf(envoyMissing)("tunnels, like Envoy", () => {
  describe.each(["with", "without"])("%s upgrades of the manager", (side) => {
    it.each(requests)("%s", async (_, head) => {
      const { ours, envoyPort } = both.side(side);
      asked.length = 0;
      const mine = await tunnel(ours.port, head);
      const theirs = await tunnel(envoyPort, head);
      expect(mine).toBe(theirs);
      if (asked.length > 0) expect(asked[0]).toBe(asked[1]);
    });

    it.each(streams)("over HTTP/2: %s", async (_, headers) => {
      const { ours, envoyPort } = both.side(side);
      expect(await tunnelHttp2(ours.port, headers)).toEqual(await tunnelHttp2(envoyPort, headers));
    });
  });
});
