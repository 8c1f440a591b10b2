import { get, request } from "node:http";
import { afterEach, expect, test } from "vitest";
import { callService, type Handler, serveHttp } from "./http-service.ts";
import { workMs } from "./latency.ts";
import { runWorkload } from "./run-workload.ts";

/** A proxy by Host, as a sidecar is: authority → handler or port. */
const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

async function serve(handler: Handler): Promise<number> {
  const server = await serveHttp(handler, "127.0.0.1", 0);
  closers.push(server.close);
  return server.port;
}

async function workload(name: string, version: string, proxyPort = 1): Promise<number> {
  const server = await runWorkload({ name, version, proxy: { host: "127.0.0.1", port: proxyPort } }, "127.0.0.1", 0);
  closers.push(server.close);
  return server.port;
}

function fetchText(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string>; body?: string } = {},
) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; text: string }>((resolve, reject) => {
    const req = request({ host: "127.0.0.1", port, path, method: options.method, headers: options.headers }, (res) => {
      let text = "";
      res.on("data", (chunk) => {
        text += chunk;
      });
      res.on("end", () => resolve({ status: res.statusCode ?? 0, headers: res.headers, text }));
    });
    req.on("error", reject);
    req.end(options.body);
  });
}

test.each([
  ["v1", undefined],
  ["v2", "black"],
  ["v3", "red"],
])("reviews %s answers with color %s", async (version, color) => {
  const seen: Record<string, unknown>[] = [];
  const proxy = await serve(({ headers }) => {
    seen.push(headers);
    return { status: 200, body: { id: 0, ratings: { Reviewer1: 5, Reviewer2: 4 } } };
  });
  const port = await workload("reviews", version, proxy);
  const { text } = await fetchText(port, "/reviews/0", { headers: { traceparent: "00-a-b-01", "end-user": "jason" } });
  const { reviews } = JSON.parse(text) as { reviews: { rating?: { stars: number; color: string } }[] };
  expect(reviews[0]?.rating).toEqual(color === undefined ? undefined : { stars: 5, color });
  if (color !== undefined)
    expect(seen[0]).toMatchObject({ host: "ratings:9080", traceparent: "00-a-b-01", "end-user": "jason" });
});

test("reviews ask for ratings over gRPC where they are told to, and stay readable when nobody answers", async () => {
  const context = (name: string, proxy: number) => ({ name, version: "v3", proxy: { host: "127.0.0.1", port: proxy } });
  const ratings = await runWorkload(context("ratings", 1), "127.0.0.1", 0, {
    grpcListen: { host: "127.0.0.1", port: 0 },
  });
  const reviews = await runWorkload(context("reviews", ratings.grpcPort ?? 0), "127.0.0.1", 0, {
    grpcRatings: "ratings:9090",
  });
  closers.push(reviews.close);
  await fetchText(ratings.port, "/ratings/7", { method: "POST", body: '{"Reviewer1":2}' });
  expect((await fetchText(reviews.port, "/reviews/7")).text).toContain('"rating":{"stars":2,"color":"red"}');
  await ratings.close();
  expect((await fetchText(reviews.port, "/reviews/7")).text).toContain("Ratings service is currently unavailable");
});

test("reviews stay readable when ratings fail", async () => {
  const port = await workload("reviews", "v2", await serve(() => ({ status: 503, body: "no" })));
  expect((await fetchText(port, "/reviews/0")).text).toContain('"error":"Ratings service is currently unavailable"');
});

test("productpage shows details and reviews, escapes what it is told, and knows its user", async () => {
  const proxy = await serve(({ url }) =>
    url.pathname.startsWith("/details")
      ? { status: 200, body: { author: "<b>William</b>" } }
      : {
          status: 200,
          body: {
            podname: "reviews-v3",
            reviews: [{ reviewer: "R1", text: "fine", rating: { stars: 4, color: "red" } }],
          },
        },
  );
  const port = await workload("productpage", "v1", proxy);
  const page = await fetchText(port, "/productpage", { headers: { cookie: "user=jason" } });
  expect(page.text).toContain("&#60;b&#62;William&#60;/b&#62;");
  expect(page.text).toContain("★★★★☆");
  expect(page.text).toContain("jason");
  expect(JSON.parse((await fetchText(port, "/api/v1/products/0/reviews")).text).podname).toBe("reviews-v3");
});

test("productpage tries reviews twice and then says that they are unavailable", async () => {
  let calls = 0;
  const proxy = await serve(({ url }) => {
    if (url.pathname.startsWith("/reviews")) calls++;
    return url.pathname.startsWith("/reviews") ? { status: 503, body: "x" } : { status: 200, body: {} };
  });
  const port = await workload("productpage", "v1", proxy);
  expect((await fetchText(port, "/productpage")).text).toContain("Reviews are unavailable (status 503)");
  expect(calls).toBe(2);
});

test("signing in sets a cookie of safe characters only", async () => {
  const port = await workload("productpage", "v1");
  const answer = await fetchText(port, "/login", {
    method: "POST",
    headers: { "content-type": "application/x-www-form-urlencoded" },
    body: "username=ja%0d%0ason",
  });
  expect(answer.headers["set-cookie"]).toEqual(["user=jason; Path=/; HttpOnly; SameSite=Lax"]);
});

test("ratings can be posted and refuse what is none", async () => {
  const port = await workload("ratings", "v1");
  expect((await fetchText(port, "/ratings/1", { method: "POST", body: '{"me":3}' })).text).toBe(
    '{"id":1,"ratings":{"me":3}}',
  );
  expect((await fetchText(port, "/ratings/1", { method: "POST", body: '{"me":9}' })).status).toBe(400);
  expect((await fetchText(port, "/ratings/x")).status).toBe(400);
});

test("a call without an answer in time is status 0", async () => {
  const proxy = await serve(() => new Promise(() => {}));
  const context = { name: "x", version: "v1", proxy: { host: "127.0.0.1", port: proxy } };
  expect(await callService(context, "ratings:9080", "/", {}, 50)).toEqual({ status: 0, body: undefined });
  get({ host: "127.0.0.1", port: proxy, path: "/health" }).on("error", () => {});
});

test("work looks like a service: median where asked, a tail above it", () => {
  let seed = 7;
  const random = () => {
    seed = (seed * 16_807) % 2_147_483_647;
    return seed / 2_147_483_647;
  };
  const waits = Array.from({ length: 20_000 }, () => workMs(5, 0.35, random)).sort((a, b) => a - b);
  expect(waits[10_000]).toBeGreaterThan(4.8);
  expect(waits[10_000]).toBeLessThan(5.2);
  expect((waits[19_800] as number) / (waits[10_000] as number)).toBeGreaterThan(1.9);
});
