import { createServer, get, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, connect as http2Connect } from "node:http2";
import { connect, createServer as createTcpServer } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { join, type Mesh } from "../../server/sdk/index.ts";
import { fetchProxyStatuses } from "../../server/xds/csds-client.ts";
import { call } from "./harness/call.ts";
import { addresses, type SdkMesh, startSdkMesh } from "./harness/sdk-mesh.ts";

const patience = { timeout: 15_000, interval: 50 };

let world: SdkMesh;
let mesh: Mesh;

beforeAll(async () => {
  world = await startSdkMesh();
  mesh = await join({
    service: "shop",
    address: addresses.shop,
    ports: [world.ports.shop, world.ports.shopGrpc, world.ports.shopTcp],
    portOffset: world.portOffset,
    credentials: { token: world.token("shop") },
    propagate: ["end-user"],
  });
});
afterAll(async () => {
  await mesh?.close();
  await world?.close();
});
beforeEach(() => {
  for (const application of Object.values(world.applications)) application.reset();
});
const stops: (() => void)[] = [];
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
});

const http = (rules: string) => `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews, namespace: default }
spec: { hosts: [reviews], http: ${rules} }`;
const to = (subset: string, weight = 100) => `{ destination: { host: reviews, subset: ${subset} }, weight: ${weight} }`;

const reviews = "http://reviews:9080/reviews/0";
const upstreamOf = (response: Response) => response.headers.get("x-upstream");
const serve = (application: Parameters<Mesh["listen"]>[1]) => stops.push(mesh.listen(world.ports.shop, application));
const callShop = (path: string, headers: Record<string, string> = {}) =>
  call({ address: addresses.client, port: world.ports.outbound, host: "shop:9080", path, headers });

describe("out of the application", () => {
  test("weights, header rules and subsets are the mesh's", async () => {
    await world.apply(
      http(
        `[{ match: [{ headers: { end-user: { exact: ann } } }], route: [${to("v2")}] }, { route: [${to("v1", 70)}, ${to("v2", 30)}] }]`,
      ),
    );
    const answers = await Promise.all(Array.from({ length: 200 }, () => mesh.fetch(reviews)));
    const second = answers.filter((answer) => upstreamOf(answer) === "reviews-v2").length;
    expect(answers.map(({ status }) => status)).toEqual(Array(200).fill(200));
    // Ten standard deviations either way.
    expect(second).toBeGreaterThan(10);
    expect(second).toBeLessThan(125);
    const ann = await mesh.fetch(reviews, { headers: { "end-user": "ann" } });
    expect(upstreamOf(ann)).toBe("reviews-v2");
    expect(await ann.json()).toMatchObject({ path: "/reviews/0", headers: { "end-user": "ann" } });
  });

  test("faults, timeouts, retries and mirrors are the mesh's", async () => {
    await world.apply(
      http(`[{ fault: { abort: { httpStatus: 418, percentage: { value: 100 } } }, route: [${to("v1")}] }]`),
    );
    expect((await mesh.fetch(reviews)).status).toBe(418);

    world.applications.v1.setDelay(5_000);
    await world.apply(http(`[{ timeout: 100ms, route: [${to("v1")}] }]`));
    expect((await mesh.fetch(reviews)).status).toBe(504);

    world.applications.v1.reset();
    world.applications.v1.answerWith(503, 503);
    await world.apply(http(`[{ retries: { attempts: 3, retryOn: 5xx }, route: [${to("v1")}] }]`));
    expect((await mesh.fetch(reviews, { method: "POST", body: "stars" })).status).toBe(200);
    expect(world.applications.v1.requests.map(({ bodyBytes }) => bodyBytes)).toEqual([5, 5, 5]);

    await world.apply(http(`[{ mirror: { host: reviews, subset: v2 }, route: [${to("v1")}] }]`));
    expect(upstreamOf(await mesh.fetch(reviews))).toBe("reviews-v1");
    await vi.waitFor(() => expect(world.applications.v2.requests).toHaveLength(1), patience);
  });

  test("an endpoint that fails is ejected", async () => {
    const rule = `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews, namespace: default }
spec:
  host: reviews
  trafficPolicy: { outlierDetection: { consecutive5xxErrors: 2, interval: 100ms, baseEjectionTime: 60s, maxEjectionPercent: 50 } }`;
    await world.apply(rule, http("[{ retries: { attempts: 0 }, route: [{ destination: { host: reviews } }] }]"));
    world.applications.v2.setStatus(500);
    await vi.waitFor(async () => {
      const answers = await Promise.all(Array.from({ length: 10 }, () => mesh.fetch(reviews)));
      expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200));
    }, patience);
  });

  test("a sidecar that insists on mutual TLS knows who calls", async () => {
    await world.apply();
    const plain = call({ address: addresses.ratings, port: world.ports.ratings, host: "ratings:9080" });
    await expect(plain).rejects.toThrow();
    const answer = await mesh.fetch("http://ratings:9080/ratings/0");
    expect(answer.status).toBe(200);
    const { headers } = (await answer.json()) as { headers: Record<string, string> };
    expect(headers["x-forwarded-client-cert"]).toContain("URI=spiffe://cluster.local/ns/default/sa/shop");
    expect(mesh.identity).toBe("spiffe://cluster.local/ns/default/sa/shop");
  });

  test("clients of node:http, of HTTP/2, streams and aborts", async () => {
    await world.apply(http(`[{ route: [${to("v1")}] }]`));
    const answer = await new Promise<IncomingMessage>((resolve, reject) =>
      get(reviews, { agent: mesh.agent }, resolve).on("error", reject),
    );
    expect(JSON.parse(await text(answer))).toMatchObject({ app: "reviews", version: "v1" });

    const session = http2Connect("http://reviews:9080", { createConnection: () => mesh.connect() });
    const stream = session.request({ ":path": "/reviews/7" });
    expect(JSON.parse(await text(stream))).toMatchObject({ path: "/reviews/7" });
    session.close();

    const large = new Uint8Array(3_000_000).fill(120);
    const body = new ReadableStream({
      start(controller) {
        for (let at = 0; at < large.length; at += 100_000) controller.enqueue(large.subarray(at, at + 100_000));
        controller.close();
      },
    });
    const sent = await mesh.fetch(reviews, { method: "POST", body, duplex: "half" } as RequestInit);
    expect(await sent.json()).toMatchObject({ bodyBytes: 3_000_000 });
    const received = await mesh.fetch(`${reviews}?bytes=3000000`);
    expect((await received.arrayBuffer()).byteLength).toBe(3_000_000);

    world.applications.v1.setDelay(10_000);
    await expect(mesh.fetch(reviews, { signal: AbortSignal.timeout(50) })).rejects.toThrow(/timeout/i);
    await expect(mesh.fetch("https://reviews:9080/")).rejects.toMatchObject({
      cause: expect.objectContaining({ message: expect.stringContaining("call http://") }),
    });
  });
});

describe("into the application", () => {
  test("others of the mesh come by mutual TLS and past the policies; nobody else does", async () => {
    await world.apply(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: shop, namespace: default }
spec:
  selector: { matchLabels: { app: shop } }
  action: DENY
  rules: [{ to: [{ operation: { paths: [/secret] } }] }]`);
    serve((request, response) => response.end(`${request.url} ${request.headers["x-forwarded-client-cert"]}`));
    const answer = await callShop("/cart");
    expect(answer.body).toContain("/cart ");
    expect(answer.body).toContain("URI=spiffe://cluster.local/ns/default/sa/client");
    expect((await callShop("/secret")).status).toBe(403);
    const plain = call({ address: addresses.shop, port: world.ports.shop, host: "shop:9080" });
    await expect(plain).rejects.toThrow();
  });

  test("servers of any kind are served, and none is a 503", async () => {
    await world.apply();
    expect((await callShop("/")).status).toBe(503);
    const stop = mesh.listen(
      world.ports.shop,
      createServer((_, response) => response.end("http")),
    );
    expect((await callShop("/")).body).toBe("http");
    expect(() => mesh.listen(world.ports.shop, () => {})).toThrow("is served already");
    stop();
    expect((await callShop("/")).status).toBe(503);
    const http2 = createHttp2Server((_, response) => response.end("http2"));
    stops.push(mesh.listen(world.ports.shopGrpc, http2));
    const session = http2Connect(`http://${addresses.client}:${world.ports.outbound}`);
    const stream = session.request({ ":path": "/", ":authority": "shop:7070" });
    expect(await text(stream)).toBe("http2");
    session.close();
    expect(() => mesh.listen(1, () => {})).toThrow("port 1 is none of join's ports");
  });

  test("a TCP service of its own is reached by a sidecar's clients and by itself", async () => {
    await world.apply();
    const server = createTcpServer({ allowHalfOpen: true }, async (socket) =>
      socket.end(`heard ${await text(socket)}`),
    );
    stops.push(mesh.listen(world.ports.shopTcp, server));
    for (const socket of [connect(world.ports.tcp, addresses.client), mesh.connect(world.ports.tcp)]) {
      socket.end("hello");
      expect(await text(socket)).toBe("heard hello");
    }
  });
});

test("a call on behalf of another is of the same trace, and both are in the logs of both sides", async () => {
  await world.apply();
  serve(async (_, response) => {
    const ratings = await mesh.fetch("http://ratings:9080/ratings/1");
    response.end(JSON.stringify(await ratings.json()));
  });
  const traceId = "0af7651916cd43dd8448eb211c80319c";
  const headers = { traceparent: `00-${traceId}-b7ad6b7169203331-01`, "end-user": "ann" };
  const answer = await callShop("/cart-7", headers);
  const { headers: got } = JSON.parse(answer.body) as { headers: Record<string, string> };
  expect(got.traceparent).toContain(traceId);
  expect(got["end-user"]).toBe("ann");
  const { logs, spans } = world.collector;
  await vi.waitFor(() => {
    const inbound = logs.find(({ nodeId, entry }) => nodeId === mesh.id && entry.request?.path === "/cart-7");
    const outbound = logs.find(({ nodeId, entry }) => nodeId === mesh.id && entry.request?.path === "/ratings/1");
    expect(inbound?.entry.commonProperties?.upstreamCluster).toBe(`inbound|${world.ports.shop}||`);
    expect(outbound?.entry.commonProperties?.upstreamCluster).toBe("outbound|9080||ratings.default.svc.cluster.local");
    const ofTrace = spans.filter(({ span }) => Buffer.from(span.traceId).toString("hex") === traceId);
    expect(ofTrace.filter(({ serviceName }) => serviceName.startsWith("shop"))).toHaveLength(2);
  }, patience);
});

test("the control plane knows it as what it is", async () => {
  const statuses = await fetchProxyStatuses(`127.0.0.1:${world.ports.xds}`, { contents: false });
  const own = statuses.find(({ id }) => id === mesh.id);
  expect(own).toMatchObject({ name: "shop-v1", implementation: expect.stringMatching(/^limpid-sdk \d/) });
  expect(Object.values(own?.types ?? {}).map(({ state }) => state)).not.toContain("ERROR");
});

test("it leaves without losing a request, and frees what it had", async () => {
  await world.apply();
  const [port] = [world.ports.shop];
  await mesh.close();
  await expect(mesh.fetch("http://ratings:9080/")).rejects.toThrow("fetch failed");
  const refused = new Promise((resolve) =>
    connect(port, addresses.shop, () => resolve("connected")).on("error", (error) => resolve(error.message)),
  );
  expect(await refused).toContain("ECONNREFUSED");
  const again = await join({
    service: "shop",
    address: addresses.shop,
    ports: [port],
    portOffset: world.portOffset,
    credentials: { token: world.token("shop") },
  });
  const { promise: release, resolve } = Promise.withResolvers<void>();
  const asked = Promise.withResolvers<void>();
  again.listen(port, async (_, response) => {
    asked.resolve();
    await release;
    response.end("served");
  });
  const inFlight = callShop("/slow");
  await asked.promise;
  const closed = again.close();
  resolve();
  expect((await inFlight).body).toBe("served");
  await closed;
});

test("what is wrong is said", async () => {
  await expect(join({ service: "No", address: "here", ports: [0], portOffset: world.portOffset })).rejects.toThrow(
    /service: .*"No".*; .*address: .*"here".*; .*ports\[0\]/,
  );
  await expect(join({ service: "shop", portOffset: world.portOffset + 1, timeoutMs: 200 })).rejects.toThrow(
    /the control plane at 127\.0\.0\.1:\d+ does not answer within 200 ms/,
  );
  await expect(
    join({ service: "shop", portOffset: world.portOffset, credentials: { token: "limpid-join-x" } }),
  ).rejects.toThrow("is not whole");
});
