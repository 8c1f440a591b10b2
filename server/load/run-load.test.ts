import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createHttp2Server } from "node:http2";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, test } from "vitest";
import { LoadPlan } from "../contract/load-tests.ts";
import { arrivals } from "./arrivals.ts";
import { runLoad } from "./run-load.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close();
    if ("closeAllConnections" in server) (server as Server).closeAllConnections();
  }
});

async function listening(server: Server | ReturnType<typeof createHttp2Server>): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}
const serving = (listener: RequestListener): Promise<string> => listening(createServer(listener));
const plan = (fields: Partial<LoadPlan> & { url: string }): LoadPlan =>
  LoadPlan.parse({ rate: 200, durationSec: 1, ...fields });

describe("arrivals", () => {
  test("a constant rate is kept to the last request", () => {
    expect([...arrivals("constant", 3, 1000)]).toEqual([0, 1000 / 3, 2000 / 3]);
    expect([...arrivals("constant", 4999, 60_000)]).toHaveLength(4999 * 60);
  });

  test("a Poisson process has its mean, and its variance is its mean", () => {
    let seed = 1;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return (seed - 1) / 2_147_483_646;
    };
    const perSecond = new Array<number>(400).fill(0);
    for (const due of arrivals("poisson", 50, 400_000, random))
      perSecond[Math.floor(due / 1000)] = (perSecond[Math.floor(due / 1000)] ?? 0) + 1;
    const mean = perSecond.reduce((sum, count) => sum + count) / 400;
    const variance = perSecond.reduce((sum, count) => sum + (count - mean) ** 2, 0) / 400;
    expect(mean).toBeCloseTo(50, -0.5);
    // The variance of 400 samples is off by √(2/400) = 7 % of itself; four of those.
    expect(variance / mean).toBeGreaterThan(0.72);
    expect(variance / mean).toBeLessThan(1.28);
  });
});

describe("a run", () => {
  test("of several requests has each at its share, with its own method, headers and figures", async () => {
    const seen: Record<string, number> = {};
    const url = await serving((request, response) => {
      const what = `${request.method} ${request.url} ${request.headers["x-who"]}`;
      seen[what] = (seen[what] ?? 0) + 1;
      response.writeHead(request.url === "/bad" ? 503 : 200).end();
    });
    const also = [
      { url: `${url}bad`, method: "POST", body: "a body", headers: { "x-who": "other" }, weight: 1 },
      { url: `${url}good`, method: "GET", weight: 2 },
    ];
    const outcome = await runLoad(plan({ url, headers: { "x-who": "load" }, arrivals: "constant", also, weight: 1 }));
    expect(seen).toEqual({ "GET / load": 50, "POST /bad other": 50, "GET /good load": 100 });
    expect(outcome.requests.map(({ due, answered, ok }) => [due, answered, ok])).toEqual([
      [50, 50, 50],
      [50, 50, 0],
      [100, 100, 100],
    ]);
    expect(outcome).toMatchObject({ due: 200, ok: 150 });
  });

  test("counts what the target counts, by status, and what came back", async () => {
    let seen = 0;
    const url = await serving((request, response) => {
      seen += 1;
      expect(request.headers).toMatchObject({ host: "reviews.example", "x-who": "load" });
      response.writeHead(seen % 10 === 0 ? 503 : 200).end("0123456789");
    });
    const outcome = await runLoad(plan({ url, headers: { host: "reviews.example", "x-who": "load" } }));
    expect(outcome).toMatchObject({ due: outcome.answered, sent: outcome.answered, failures: {} });
    expect(outcome.answered).toBe(seen);
    expect(outcome.statuses).toEqual({ 200: seen - Math.floor(seen / 10), 503: Math.floor(seen / 10) });
    expect(outcome.ok).toBe(outcome.statuses[200]);
    expect(outcome.bytes).toBe(seen * 10);
    expect(outcome.seconds.reduce((sum, { ok, failed }) => sum + ok + failed, 0)).toBe(seen);
  });

  test.each([302, 404, 429])("an answer of %i is good below 400 alone", async (status) => {
    const url = await serving((_request, response) => void response.writeHead(status, { location: "/" }).end());
    const { answered, ok, seconds } = await runLoad(plan({ url, rate: 20, arrivals: "constant" }));
    const good = status < 400 ? 20 : 0;
    expect([answered, ok, seconds[0]?.ok, seconds[0]?.failed]).toEqual([20, good, good, 20 - good]);
  });

  test("what waits while the target stands still is in the latency, and not in the service time", async () => {
    // One connection, and the first request holds it for half of the run.
    let first = true;
    const url = await serving((_request, response) => {
      if (!first) return void response.end();
      first = false;
      setTimeout(() => response.end(), 500);
    });
    const outcome = await runLoad(plan({ url, connections: 1, arrivals: "constant", rate: 100 }));
    expect(outcome.answered).toBe(100);
    // 50 requests came due meanwhile, and waited 250 ms at the median of them.
    expect(outcome.latency.p75).toBeGreaterThan(150);
    expect(outcome.serviceTime.p75).toBeLessThan(outcome.latency.p75 ?? 0);
    expect(outcome.latency.max).toBeGreaterThanOrEqual(490);
  });

  test("a target that answers nothing is a timeout, also for those that had no connection", async () => {
    const url = await serving(() => {});
    const outcome = await runLoad(plan({ url, connections: 2, rate: 20, arrivals: "constant", timeoutMs: 200 }));
    expect(outcome.answered).toBe(0);
    expect(outcome.latency.p50).toBeNull();
    const { timeout = 0, "no connection in time": waited = 0 } = outcome.failures;
    expect(timeout).toBeGreaterThan(0);
    expect(timeout + waited).toBe(20);
  });

  test("nobody listens: counted by reason", async () => {
    const url = await serving(() => {});
    for (const server of servers.splice(0)) server.close();
    const outcome = await runLoad(plan({ url, rate: 20, arrivals: "constant" }));
    expect(outcome.failures).toEqual({ ECONNREFUSED: 20 });
  });

  test("a warm-up counts for nothing, and stands in the seconds", async () => {
    let seen = 0;
    const url = await serving((_request, response) => {
      seen += 1;
      response.end();
    });
    const outcome = await runLoad(plan({ url, warmUpSec: 1, rate: 50, arrivals: "constant" }));
    expect(seen).toBe(100);
    expect(outcome.answered).toBe(50);
    expect(outcome.seconds.map(({ due }) => due)).toEqual([50, 50]);
  });

  test("ends when it is told to, with what there is", async () => {
    const stop = new AbortController();
    const url = await serving((_request, response) => void response.end());
    const outcome = await runLoad(plan({ url, durationSec: 600, rate: 100 }), {
      signal: stop.signal,
      onProgress: (_elapsed, sofar) => sofar.answered > 0 && stop.abort(),
    });
    expect(outcome.answered).toBeGreaterThan(0);
    expect(outcome.seconds.length).toBeLessThan(600);
  });

  test("HTTP/2: requests share connections, and a gRPC status of a trailer is a failure", async () => {
    let sessions = 0;
    const server = createHttp2Server();
    server.on("session", () => {
      sessions += 1;
    });
    let seen = 0;
    server.on("stream", (stream, headers) => {
      seen += 1;
      expect(headers[":authority"]).toBe("ratings:9090");
      const failing = seen % 2 === 0;
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": failing ? "14" : "0" }));
      stream.end("x");
    });
    const url = await listening(server);
    const outcome = await runLoad(
      plan({
        url,
        protocol: "http2",
        connections: 2,
        headers: { Host: "ratings:9090" },
        method: "POST",
        body: "hello",
      }),
    );
    expect(outcome.failures).toEqual({});
    expect(outcome.answered).toBe(seen);
    expect(outcome.ok).toBe(Math.ceil(seen / 2));
    expect(sessions).toBe(2);
  });
});

test.each([
  [{ rate: 0 }, "rate"],
  [{ rate: 5001 }, "rate"],
  [{ url: "ftp://x" }, "url"],
  [{ headers: { "a b": "x" } }, "headers"],
  [{ headers: { a: "x\r\ny: z" } }, "headers"],
  [{ method: "GET /x" }, "method"],
])("a plan %j is refused at %s", (fields, path) => {
  const read = LoadPlan.safeParse({ url: "http://127.0.0.1:8080/", rate: 10, ...fields });
  expect(read.error?.issues[0]?.path[0]).toBe(path);
});
