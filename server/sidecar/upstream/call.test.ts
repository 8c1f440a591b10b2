import { afterEach, describe, expect, it } from "vitest";
import { eventually, Fixtures, staticCluster } from "../test-plane.ts";
import { type CallFailure, type CallOptions, type CallResponse, call } from "./call.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

async function asking(handler: Parameters<Fixtures["http"]>[0], cluster = {}) {
  const up = await fixtures.http(handler);
  const test = await fixtures.plane({ clusters: [staticCluster("up", [up], cluster)] });
  const target = test.plane.clusterMap.get("up");
  if (target === undefined) throw new Error("no cluster");
  const results: (CallResponse | CallFailure)[] = [];
  const ask = (options: Partial<CallOptions> = {}) =>
    call(target, {
      head: {
        method: "POST",
        path: "/check",
        authority: "authz",
        scheme: "http",
        headers: [],
        contentLength: -1,
        upgrade: "",
        bytes: 0,
      },
      body: [],
      timeoutMs: 5_000,
      maxBytes: 100,
      done: (result) => void results.push(result),
      ...options,
    });
  return { test, target, results, ask };
}

describe("a call of the proxy's own", () => {
  it("brings the answer, decoded, with its trailers", async () => {
    const { test, target, results, ask } = await asking((request, response) => {
      let body = "";
      request.on("data", (bytes) => {
        body += bytes;
      });
      request.on("end", () => {
        response.setHeader("Trailer", "x-t");
        response.write(`${request.method} ${request.url} `);
        response.addTrailers({ "x-t": "1" });
        response.end(body);
      });
    });
    ask({ body: [Buffer.from("a"), Buffer.from("b")] });
    await eventually(() => results.length === 1);
    const [answer] = results as CallResponse[];
    expect([answer?.status, answer?.body.toString(), answer?.trailers]).toEqual([200, "POST /check ab", ["x-t", "1"]]);
    expect([target.activeRequests, target.allEndpoints[0]?.active]).toEqual([0, 0]);
    expect(test.counter("cluster.up.upstream_rq_200")).toBe(1);
  });

  it("fails when it takes too long, answers too much or is cut off", async () => {
    const { results, ask } = await asking((request, response) => {
      if (request.headers["x-do"] === "cut") request.socket.destroy();
      else if (request.headers["x-do"] === "much") response.end("x".repeat(101));
    });
    const head = (what: string): CallOptions["head"] => ({
      method: "GET",
      path: "/",
      authority: "a",
      scheme: "http",
      headers: ["x-do", what],
      contentLength: -1,
      upgrade: "",
      bytes: 0,
    });
    for (const what of ["cut", "much", "hang"]) {
      const before = results.length;
      ask({ head: head(what), timeoutMs: what === "hang" ? 50 : 5_000 });
      await eventually(() => results.length > before);
    }
    expect(results).toEqual(["connection_termination", "too large", "timeout"]);
  });

  it("holds to the circuit breaker, and says when there is nobody", async () => {
    const { target, results, ask } = await asking(() => {}, {
      circuit_breakers: { thresholds: [{ max_requests: 1 }] },
    });
    const cancel = ask();
    ask();
    expect(results).toEqual(["overflow"]);
    cancel();
    expect(target.activeRequests).toBe(0);
    target.setEndpoints([]);
    ask();
    expect(results).toEqual(["overflow", "no healthy upstream"]);
  });
});

it("what it meets counts for the endpoint, and for outlier detection, as a request's does", async () => {
  const outlier = { consecutive_5xx: 2, interval: "60s", base_ejection_time: "60s", max_ejection_percent: 100 };
  const { test, target, results, ask } = await asking(
    (request, response) => {
      if (request.url === "/cut") request.socket.destroy();
      else response.writeHead(request.url === "/fine" ? 200 : 503).end();
    },
    { outlier_detection: outlier, common_lb_config: { healthy_panic_threshold: { value: 0 } } },
  );
  const [endpoint] = target.allEndpoints;
  const asked = async (path: string) => {
    const before = results.length;
    ask({
      head: {
        method: "GET",
        path,
        authority: "a",
        scheme: "http",
        headers: [],
        contentLength: -1,
        upgrade: "",
        bytes: 0,
      },
    });
    await eventually(() => results.length === before + 1);
  };
  await asked("/fine");
  await asked("/cut");
  expect(endpoint?.totals).toMatchObject({ requests: 2, successes: 1, errors: 1 });
  await asked("/fine");
  await asked("/broken");
  await asked("/broken");
  expect(test.gauge("cluster.up.outlier_detection.ejections_active")).toBe(1);
  await asked("/fine");
  expect(results.at(-1)).toBe("no healthy upstream");
});
