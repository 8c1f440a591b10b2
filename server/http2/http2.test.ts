import * as http2 from "node:http2";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { fractionsFrom } from "../lib/testing/random.ts";
import type { Fields, StreamServer } from "../sidecar/http/stream.ts";
import { TestAuthority, type TestCertificate } from "../sidecar/secret/testing/certificates.ts";
import { startsHttp2 } from "./preface.ts";
import { ask, get, Listener, openClient, type TestClient } from "./testing/client.ts";
import { eventually } from "./testing/eventually.ts";
import { forwarding } from "./testing/proxy.ts";
import { randomBytes } from "./testing/random.ts";
import { answering, echo, silent, startServer, type TestServer } from "./testing/server.ts";

// Both halves of the codec against Node's own HTTP/2, which is nghttp2, over real sockets; then against each other.

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

let authority: TestAuthority;
let certificate: TestCertificate;
beforeAll(async () => {
  authority = await TestAuthority.create();
  certificate = await authority.issue({ dns: ["localhost"], subject: "CN=localhost" });
});

async function serve(server: StreamServer, options = {}, tls = false): Promise<TestServer> {
  const running = await startServer(
    server,
    options,
    tls ? { key: certificate.key, cert: certificate.chain } : undefined,
  );
  cleanUps.push(() => running.stop());
  return running;
}

async function open(port: number, options = {}, ca?: string): Promise<TestClient> {
  const client = await openClient(port, options, ca);
  cleanUps.push(() => client.stop());
  return client;
}

function nodeClient(port: number, tls: boolean, settings: http2.Settings = {}): http2.ClientHttp2Session {
  const session = tls
    ? http2.connect(`https://localhost:${port}`, {
        ca: authority.pem,
        settings,
        lookup: (_h, _o, done) => done(null, [{ address: "127.0.0.1", family: 4 }]),
      })
    : http2.connect(`http://127.0.0.1:${port}`, { settings });
  session.on("error", () => {});
  cleanUps.push(() => session.destroy());
  return session;
}

interface NodeAnswer {
  headers: http2.IncomingHttpHeaders & http2.IncomingHttpStatusHeader;
  trailers: http2.IncomingHttpHeaders | undefined;
  body: Buffer;
}

function nodeAsk(
  session: http2.ClientHttp2Session,
  headers: http2.OutgoingHttpHeaders,
  body?: Buffer,
  trailers?: http2.OutgoingHttpHeaders,
): Promise<NodeAnswer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(headers, { endStream: body === undefined, waitForTrailers: trailers !== undefined });
    const answer: NodeAnswer = { headers: {}, trailers: undefined, body: Buffer.alloc(0) };
    const chunks: Buffer[] = [];
    stream.on("response", (head) => {
      answer.headers = head;
    });
    stream.on("trailers", (got) => {
      answer.trailers = got;
    });
    stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => resolve({ ...answer, body: Buffer.concat(chunks) }));
    stream.on("error", reject);
    if (body !== undefined) stream.end(body);
  });
}

async function nodeServer(
  handler: (stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders) => void,
  options: http2.ServerOptions = {},
  tls = false,
): Promise<number> {
  const server = tls
    ? http2.createSecureServer({ ...options, key: certificate.key, cert: certificate.chain })
    : http2.createServer(options);
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    handler(stream, headers);
  });
  const sessions = new Set<http2.ServerHttp2Session>();
  server.on("session", (session: http2.ServerHttp2Session) => {
    sessions.add(session);
    session.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanUps.push(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as { port: number }).port;
}

/** Sends back body and trailers. */
function nodeEcho(stream: http2.ServerHttp2Stream, headers: http2.IncomingHttpHeaders): void {
  let trailers: http2.IncomingHttpHeaders = {};
  stream.on("trailers", (got) => {
    trailers = { ...got };
  });
  stream.respond({ ":status": 200, "x-path": headers[":path"], "x-cookie": headers.cookie }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.pipe(stream);
}

const large = randomBytes(fractionsFrom(5), 3_000_000);

describe.each([false, true])("node:http2 as the client, TLS %s", (tls) => {
  test("a request without a body", async () => {
    const { port } = await serve(echo, {}, tls);
    const { headers, body } = await nodeAsk(nodeClient(port, tls), {
      ":path": "/a?b=c",
      "x-one": "1",
      cookie: ["a=b", "c=d"],
    });
    expect(headers[":status"]).toBe(200);
    expect(headers["x-x-one"]).toBe("1");
    expect(headers["x-path"]).toBe("/a?b=c");
    // Crumbs are one field again: RFC 9113, 8.2.3.
    expect(headers["x-cookie"]).toBe("a=b; c=d");
    expect(body.length).toBe(0);
  });

  test("HEAD: a head with a length, and no body", async () => {
    const { port } = await serve(answering(["content-length", "3"], Buffer.from("abc")), {}, tls);
    const session = nodeClient(port, tls);
    const [whole, head] = await Promise.all([nodeAsk(session, {}), nodeAsk(session, { ":method": "HEAD" })]);
    expect([whole.headers["content-length"], whole.body.toString()]).toEqual(["3", "abc"]);
    expect([head.headers["content-length"], head.body.length]).toEqual(["3", 0]);
  });

  test("a large body and trailers, there and back", async () => {
    const { port } = await serve(echo, {}, tls);
    const { body, trailers } = await nodeAsk(nodeClient(port, tls), { ":method": "POST" }, large, { "x-sum": "7" });
    expect(body.equals(large)).toBe(true);
    expect(trailers?.["x-sum"]).toBe("7");
  });

  test("many streams at once over a small window", async () => {
    const { port } = await serve(echo, {}, tls);
    const session = nodeClient(port, tls, { initialWindowSize: 1000 });
    const bodies = Array.from({ length: 40 }, (_, index) => large.subarray(index * 100, index * 100 + 20_000));
    const answers = await Promise.all(bodies.map((body) => nodeAsk(session, { ":method": "POST" }, body)));
    expect(answers.every(({ body }, index) => body.equals(bodies[index] as Buffer))).toBe(true);
  });

  test("heads of all sizes: nghttp2's HPACK against ours, both ways, as tables fill and shrink", async () => {
    const random = fractionsFrom(17);
    const { port } = await serve(echo, { maxHeaderBytes: 100_000 }, tls);
    for (const headerTableSize of [4096, 0, 200]) {
      const session = nodeClient(port, tls, { headerTableSize });
      for (let round = 0; round < 30; round++) {
        const sent: Record<string, string> = {};
        for (let i = 0; i < 20; i++) {
          const length = random() < 0.05 ? 9000 : random() * 60;
          sent[`x-${Math.floor(random() * 30)}`] = randomBytes(random, length).toString("base64");
        }
        const { headers } = await nodeAsk(session, sent);
        for (const [name, value] of Object.entries(sent)) expect(headers[`x-${name}`]).toBe(value);
      }
    }
  });

  test("a drain lets what runs finish, and takes what was on its way", async () => {
    let release = (): void => {};
    const { port, connections, closed } = await serve(
      {
        onStream: (stream) => {
          release = () => {
            stream.sendHead({ status: 200, headers: [], contentLength: -1, bytes: 0 }, false);
            stream.sendEnd(undefined);
          };
          return silent;
        },
      },
      {},
      tls,
    );
    const session = nodeClient(port, tls);
    const pending = nodeAsk(session, {});
    await eventually(() => [...connections][0]?.active).toBe(1);
    const goneAway = new Promise((resolve) => session.on("goaway", resolve));
    for (const connection of connections) connection.drain();
    await goneAway;
    release();
    expect((await pending).headers[":status"]).toBe(200);
    await eventually(() => closed).toEqual(["drained"]);
  });
});

describe.each([false, true])("node:http2 as the server, TLS %s", (tls) => {
  test("a request without a body", async () => {
    const port = await nodeServer(nodeEcho, {}, tls);
    const { connection } = await open(port, {}, tls ? authority.pem : undefined);
    const answer = await ask(connection, get("/a?b=c", { headers: ["cookie", "a=b"] }));
    expect(answer.status).toBe(200);
    expect(answer.headers).toContain("/a?b=c");
    expect(answer.reset).toBeUndefined();
  });

  test("a large body and trailers, there and back", async () => {
    const port = await nodeServer(nodeEcho, {}, tls);
    const { connection } = await open(port, {}, tls ? authority.pem : undefined);
    const answer = await ask(connection, get("/", { method: "POST" }), large, ["x-sum", "7"]);
    expect(answer.body.equals(large)).toBe(true);
    expect(answer.trailers).toEqual(["x-sum", "7"]);
  });

  test("streams up to what the server allows, and more when one ends", async () => {
    const held: http2.ServerHttp2Stream[] = [];
    const port = await nodeServer((stream) => void held.push(stream), { settings: { maxConcurrentStreams: 3 } }, tls);
    const client = await open(port, {}, tls ? authority.pem : undefined);
    await eventually(() => client.connection.capacity).toBe(3);
    const answers = [1, 2, 3].map(() => ask(client.connection, get("/")));
    expect(client.connection.capacity).toBe(0);
    await eventually(() => held.length).toBe(3);
    const before = client.capacityCalls;
    held[0]?.respond({ ":status": 204 }, { endStream: true });
    expect((await answers[0])?.status).toBe(204);
    expect(client.connection.capacity).toBe(1);
    expect(client.capacityCalls).toBeGreaterThan(before);
  });

  test("informational heads come before the head", async () => {
    const port = await nodeServer(
      (stream) => {
        stream.additionalHeaders({ ":status": 103, link: "</a.css>" });
        stream.respond({ ":status": 200 });
        stream.end("x");
      },
      {},
      tls,
    );
    const { connection } = await open(port, {}, tls ? authority.pem : undefined);
    const answer = await ask(connection, get("/"));
    expect([answer.informational, answer.status, answer.body.toString()]).toEqual([[103], 200, "x"]);
  });

  test("GOAWAY: no further stream, those beyond it may be sent again", async () => {
    const port = await nodeServer(
      (stream) => {
        stream.session?.goaway(0, 1);
        stream.respond({ ":status": 200 });
        stream.end("x");
      },
      {},
      tls,
    );
    const client = await open(port, {}, tls ? authority.pem : undefined);
    const [first, second] = [ask(client.connection, get("/")), ask(client.connection, get("/"))];
    expect((await first).status).toBe(200);
    expect((await second).reset?.reason).toBe("refused_stream");
    expect(client.connection.capacity).toBe(0);
    expect(await client.closed).toBe("drained");
  });

  test("a reset tells why", async () => {
    const port = await nodeServer((stream) => stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR), {}, tls);
    const { connection } = await open(port, {}, tls ? authority.pem : undefined);
    expect((await ask(connection, get("/"))).reset).toEqual({ reason: "remote_reset", detail: "http2.remote_reset" });
  });

  test("our reset reaches the server", async () => {
    let code: number | undefined;
    const port = await nodeServer(
      (stream) => {
        stream.on("aborted", () => {
          code = stream.rstCode;
        });
      },
      {},
      tls,
    );
    const { connection } = await open(port, {}, tls ? authority.pem : undefined);
    const stream = connection.newStream(new Listener());
    stream.sendHead(get("/"), false);
    stream.sendData(Buffer.from("abc"), 0, 3);
    await eventually(() => connection.active).toBe(1);
    stream.reset("local_reset");
    await eventually(() => code).toBe(http2.constants.NGHTTP2_CANCEL);
    expect(connection.active).toBe(0);
  });
});

describe("both ends ours", () => {
  test("extended CONNECT: a WebSocket's bytes both ways", async () => {
    const { port } = await serve(
      {
        onStream: (stream, head) => {
          const headers: Fields = ["x-upgrade", `${head.method} ${head.upgrade} ${head.path}`];
          stream.sendHead({ status: 101, headers, contentLength: -1, bytes: 0 }, false);
          return {
            ...silent,
            onData: (bytes, start, end) => void stream.sendData(bytes, start, end),
            onEnd: () => stream.sendEnd(undefined),
          };
        },
      },
      { allowConnect: true },
    );
    const { connection } = await open(port);
    await eventually(() => connection.takesExtendedConnect).toBe(true);
    const answer = await ask(connection, get("/chat", { upgrade: "websocket" }), Buffer.from("hello"));
    expect([answer.status, answer.headers, answer.body.toString()]).toEqual([
      101,
      ["x-upgrade", "GET websocket /chat"],
      "hello",
    ]);
  });

  test("plain CONNECT has an authority only", async () => {
    const { port } = await serve(echo);
    const { connection } = await open(port);
    const head = get("", { method: "CONNECT", authority: "db:5432", scheme: "" });
    const answer = await ask(connection, head, Buffer.from("hello"));
    expect(answer.headers).toEqual(["x-method", "CONNECT", "x-path", "", "x-authority", "db:5432"]);
    expect(answer.body.toString()).toBe("hello");
  });

  test("through a proxy that is nothing but the codec: nothing is lost, whatever stops in between", async () => {
    const back = await serve(echo);
    const up = await open(back.port);
    const front = await serve(forwarding(() => up.connection));
    const down = await open(front.port);
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => ask(down.connection, get("/", { method: "POST" }), large, ["x-sum", "7"])),
    );
    expect(answers.every(({ body, trailers }) => body.equals(large) && trailers?.[1] === "7")).toBe(true);
  });

  test("a head of many frames", async () => {
    const { port } = await serve(echo, { maxHeaderBytes: 200_000 });
    const { connection } = await open(port, { maxHeaderBytes: 200_000 });
    const headers = ["x-long", "y".repeat(70_000), "x-short", "z"];
    const answer = await ask(connection, get("/", { headers }));
    expect(answer.headers.slice(6)).toEqual(["x-x-long", "y".repeat(70_000), "x-x-short", "z"]);
  });

  test("max_requests_per_connection on either side", async () => {
    const limited = await serve(echo, { maxRequestsPerConnection: 2 });
    const first = await open(limited.port);
    await ask(first.connection, get("/1"));
    expect((await ask(first.connection, get("/2"))).status).toBe(200);
    expect(await first.closed).toMatch(/drained|remote close/);
    const unlimited = await serve(echo);
    const second = await open(unlimited.port, { maxRequestsPerConnection: 2 });
    await ask(second.connection, get("/1"));
    expect(second.connection.capacity).toBe(1);
    await ask(second.connection, get("/2"));
    expect(await second.closed).toBe("drained");
  });

  test("a response that is whole before its request ends it: the client is told to stop", async () => {
    const { port } = await serve({
      onStream: (stream) => {
        stream.sendHead({ status: 413, headers: [], contentLength: -1, bytes: 0 }, true);
        return silent;
      },
    });
    const { connection } = await open(port);
    const listener = new Listener();
    const stream = connection.newStream(listener);
    stream.sendHead(get("/", { method: "POST" }), false);
    expect((await listener.done).status).toBe(413);
    await eventually(() => connection.active).toBe(0);
  });

  test("PINGs keep a connection that answers and end one that doesn't", async () => {
    const keepalive = { intervalMs: 20, timeoutMs: 2000, jitterPercent: 0, idleIntervalMs: 0 };
    const server = await serve(echo, { keepalive });
    const client = await open(server.port);
    const before = client.stats.rxBytes.value;
    await eventually(() => client.stats.rxBytes.value - before).toBeGreaterThan(5 * 17);
    expect([server.connections.size, server.stats.keepaliveTimeout]).toEqual([1, 0]);
  });
});

test.each<[string, boolean | undefined]>([
  ["PRI * HTTP/2.0\r\n\r\nSM", true],
  ["PRI * HTTP/2", true],
  ["PRI * HTTP/", undefined],
  ["P", undefined],
  ["", undefined],
  ["POST / HTTP/1.1", false],
  ["PRI * HTTP/1.1\r\n", false],
  ["\u0016\u0003\u0001", false],
])("first bytes %j are HTTP/2: %s", (text, expected) => {
  const bytes = Buffer.from(`xx${text}`, "latin1");
  expect(startsHttp2(bytes, 2, bytes.length)).toBe(expected);
});
