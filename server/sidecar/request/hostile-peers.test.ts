import { afterEach, describe, expect, it } from "vitest";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";

// What clients and upstreams do that no well-behaved one would; each case once went wrong here.

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const get = (path = "/", fields = "", version = "1.1") => `GET ${path} HTTP/${version}\r\nHost: a\r\n${fields}\r\n`;

/** Sends `reply` for every request head, and tells how many came. */
async function raw(reply: string, after: (socket: import("node:net").Socket) => void = () => {}) {
  const seen = { requests: [] as string[], port: 0 };
  seen.port = await fixtures.tcp((socket) => {
    socket.on("data", (bytes) => {
      seen.requests.push(bytes.toString("latin1"));
      if (reply !== "") socket.write(reply, "latin1", () => after(socket));
    });
  });
  return seen;
}

describe("upstreams", () => {
  it("an HTTP/1.0 client gets a body that ends with its connection", async () => {
    const up = await raw("HTTP/1.1 200 OK\r\n\r\nuntil close", (socket) => socket.end());
    const test = await fixtures.plane({
      clusters: [staticCluster("up", [up.port])],
      routes: [toCluster("up")],
      manager: { http_protocol_options: { accept_http_10: true } },
    });
    const answer = await (await fixtures.client(test.port)).send(get("/", "", "1.0")).untilEnd();
    expect(answer).toMatch(/^HTTP\/1.0 200[\s\S]*\r\n\r\nuntil close$/);
  });

  it.each<[string, string]>([
    ["a length", "HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\nhello"],
    ["chunks", "HTTP/1.1 204 No Content\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
  ])("a 204 with %s is a broken response", async (_, reply) => {
    const up = await raw(reply);
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up.port])], routes: [toCluster("up")] });
    const answer = await (await fixtures.client(test.port)).send(get()).until((text) => text.includes("\r\n\r\n"));
    expect(answer.slice(0, 12)).toBe("HTTP/1.1 502");
  });

  it("a request that waits for a connection to an endpoint that leaves gets it, once connected", async () => {
    const up = await raw("");
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up.port])] });
    const cluster = test.plane.clusterMap.get("up");
    const [endpoint] = cluster?.allEndpoints ?? [];
    if (cluster === undefined || endpoint === undefined) throw new Error("no endpoint");
    const connected = new Promise((resolve, reject) => {
      cluster.pool.newStream(endpoint, "http1", {
        onReady: resolve,
        onPoolFailure: (reason) => reject(new Error(reason)),
      });
    });
    cluster.setEndpoints([]);
    await connected;
    expect(endpoint.totals.connections).toBe(1);
  });

  it("an answer before the request is whole says that the connection ends", async () => {
    const up = await raw("HTTP/1.1 413 Too Large\r\ncontent-length: 3\r\n\r\nbig");
    const test = await fixtures.plane({ clusters: [staticCluster("up", [up.port])], routes: [toCluster("up")] });
    const client = await fixtures.client(test.port);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc");
    expect(await client.untilEnd()).toMatch(/^HTTP\/1.1 413[\s\S]*connection: close\r\n\r\nbig$/);
  });
});

describe("clients", () => {
  it("who pipelines and does not read is not read either", async () => {
    const body = "x".repeat(4000);
    const test = await fixtures.plane({
      routes: [{ match: { prefix: "/" }, direct_response: { status: 200, body: { inline_string: body } } }],
    });
    const client = await fixtures.client(test.port);
    client.socket.pause();
    const requests = 5_000;
    client.send(get().repeat(requests));
    const answered = () => test.counter("http.test.downstream_rq_total");
    await eventually(() => answered() > 0);
    // 20 MB of answers were asked for; what the two sockets hold is all that is made.
    let before = -1;
    await eventually(() => {
      const settled = before === answered();
      before = answered();
      return settled;
    });
    expect(answered()).toBeLessThan(requests / 2);
    client.socket.resume();
    while (answered() < requests) await new Promise((resolve) => setTimeout(resolve, 5));
  }, 30_000);

  it("an idle connection is closed after its own limit, though a stream may be idle for longer", async () => {
    const test = await fixtures.plane({
      routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
      manager: { common_http_protocol_options: { idle_timeout: "0.1s" } },
    });
    const client = await fixtures.client(test.port);
    await client.send(get()).until((text) => text.endsWith("\r\n\r\n"));
    await client.untilEnd();
    expect(test.counter("http.test.downstream_cx_idle_timeout")).toBe(1);
  });

  it("the head of a later request that trickles in has the same deadline as the first's", async () => {
    const test = await fixtures.plane({
      routes: [{ match: { prefix: "/" }, direct_response: { status: 200 } }],
      manager: { request_headers_timeout: "0.2s" },
    });
    const client = await fixtures.client(test.port);
    await client.send(get()).until((text) => text.endsWith("\r\n\r\n"));
    // Long enough for the timer of the first head to have fired in vain.
    const first = performance.now();
    await eventually(() => performance.now() - first > 400);
    client.send("GET / HT");
    const answer = await client.untilEnd();
    expect(answer).toMatch(/HTTP\/1.1 408[\s\S]*request header timeout$/);
  });

  it("OPTIONS * is nobody's path; a 204 made here has no length", async () => {
    const test = await fixtures.plane({ routes: [{ match: { prefix: "/" }, direct_response: { status: 204 } }] });
    const client = await fixtures.client(test.port);
    client.send(`OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n${get()}`);
    const answer = await client.until((text) => text.split("\r\n\r\n").length === 3);
    expect(answer.match(/HTTP\/1.1 \d+/g)).toEqual(["HTTP/1.1 404", "HTTP/1.1 204"]);
    expect(answer.slice(answer.indexOf("HTTP/1.1 204"))).not.toContain("content-length");
    expect(test.records[0]).toMatchObject({ responseCodeDetails: "absolute_path_rejected" });
  });
});

describe("what a request asks for by header", () => {
  const failing = "HTTP/1.1 503 x\r\ncontent-length: 0\r\n\r\n";
  const inside = { internal_address_config: { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] } };
  const proxy = (up: number, manager = {}) =>
    fixtures.plane({ clusters: [staticCluster("up", [up])], routes: [toCluster("up")], manager });

  it.each<[string, string, number]>([
    ["retries", "x-envoy-retry-on: 5xx", 2],
    ["more retries", "x-envoy-retry-on: gateway-error\r\nx-envoy-max-retries: 2", 3],
    ["a number without a condition", "x-envoy-max-retries: 2", 1],
    ["a status code", "x-envoy-retry-on: retriable-status-codes\r\nx-envoy-retriable-status-codes: 418, 503", 2],
    ["what nobody knows", "x-envoy-retry-on: bogus", 1],
  ])("%s", async (_, fields, attempts) => {
    const up = await raw(failing);
    const client = await fixtures.client((await proxy(up.port, inside)).port);
    const request = get("/", `x-forwarded-for: 10.1.2.3\r\n${fields}\r\n`);
    await client.send(request).until((text) => text.includes("\r\n\r\n"));
    expect(up.requests).toHaveLength(attempts);
    expect(up.requests.join("")).not.toMatch(/x-envoy-(retr|max)/);
    expect(up.requests[0]).toContain("x-envoy-internal: true");
  });

  it("a timeout, which the upstream is told of", async () => {
    const up = await raw("");
    const client = await fixtures.client((await proxy(up.port, inside)).port);
    client.send(get("/", "x-forwarded-for: 10.1.2.3\r\nx-envoy-upstream-rq-timeout-ms: 50\r\n"));
    expect(await client.until((text) => text.includes("timeout"))).toMatch(/^HTTP\/1.1 504/);
    expect(up.requests.join("")).toContain("x-envoy-expected-rq-timeout-ms: 50");
  });

  it.each<[string, object, string]>([
    ["nobody is inside", {}, ""],
    ["another address", inside, "x-forwarded-for: 11.0.0.1\r\n"],
    ["several addresses", inside, "x-forwarded-for: 10.0.0.1, 10.0.0.2\r\n"],
    [
      "at the edge, where the peer's own address counts",
      { ...inside, use_remote_address: true },
      "x-forwarded-for: 10.0.0.1\r\n",
    ],
  ])("nothing from outside: %s", async (_, manager, forwarded) => {
    const up = await raw(failing);
    const client = await fixtures.client((await proxy(up.port, manager)).port);
    const fields = "x-envoy-retry-on: 5xx\r\nx-envoy-internal: true\r\nx-envoy-upstream-rq-timeout-ms: 1\r\n";
    await client.send(get("/", forwarded + fields)).until((text) => text.includes("\r\n\r\n"));
    expect(up.requests).toHaveLength(1);
    expect(up.requests[0]).not.toMatch(/x-envoy-(retry|internal|upstream)/);
    const edge = "use_remote_address" in manager;
    expect(/x-envoy-external-address: (\S+)/.exec(up.requests[0] ?? "")?.[1]).toBe(edge ? "127.0.0.1" : undefined);
  });
});

it.each<[string, string, string, string]>([
  ["everything", ".*", "/new", "/new?q=1"],
  ["each letter", "[ab]", "<\\0>", "/<a><b>c?q=1"],
  ["nothing, everywhere", "x*", "-", "-/-a-b-c-?q=1"],
  ["groups", "(a)(x)?", "\\1\\2$1", "/a$1bc?q=1"],
])("regex rewrite replaces as RE2 does: %s", async (_, regex, substitution, expected) => {
  const up = await raw("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [up.port])],
    routes: [toCluster("up", { regex_rewrite: { pattern: { regex }, substitution } })],
  });
  await (await fixtures.client(test.port)).send(get("/abc?q=1")).until((text) => text.includes("\r\n\r\n"));
  expect(up.requests[0]?.split(" ")[1]).toBe(expected);
});
