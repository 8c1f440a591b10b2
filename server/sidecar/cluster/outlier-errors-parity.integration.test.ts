import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Fixtures, type PlaneOptions, staticCluster, type TestPlane, toCluster } from "../test-plane.ts";
import { envoyMissing, RealEnvoy } from "../testing/real-envoy.ts";

// Which responses count as errors of their host, asked of real Envoy and of our data path by the same requests.

const fixtures = new Fixtures();
let ours: TestPlane;
let theirs: RealEnvoy;

const header = (name: string, exact: string): JsonObject => ({
  http_response_headers_match: { headers: [{ name, string_match: { exact } }] },
});
const status = (code: number) => header(":status", String(code));

/** By cluster. */
const matchers: Record<string, JsonObject> = {
  "404 and 503": { or_match: { rules: [status(404), status(503)] } },
  "none but 404": status(404),
  "all but 500": {
    and_match: {
      rules: [
        { http_response_headers_match: { headers: [{ name: ":status", range_match: { start: 500, end: 600 } }] } },
        { not_match: status(500) },
      ],
    },
  },
  "by header": header("x-sick", "yes"),
};

const cluster = (name: string, port: number): JsonObject => ({
  ...staticCluster(name, [port]),
  outlier_detection: {
    consecutive_5xx: 2,
    enforcing_consecutive_5xx: 0,
    consecutive_gateway_failure: 2,
    enforcing_consecutive_gateway_failure: 0,
  },
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http_protocol_options: {} },
      outlier_detection: { error_matcher: matchers[name] ?? {} },
    },
  },
});

beforeAll(async () => {
  if (envoyMissing) return;
  const port = await fixtures.http((request, response) => {
    const sick = request.headers["x-sick"];
    response.writeHead(Number(request.headers["x-status"]), sick === undefined ? {} : { "x-sick": sick }).end();
  });
  const names = Object.keys(matchers);
  const options: PlaneOptions = {
    routes: names.map((name) => ({
      ...toCluster(name),
      match: { prefix: "/", headers: [{ name: "x-cluster", string_match: { exact: name } }] },
    })),
    clusters: names.map((name) => cluster(name, port)),
  };
  ours = await fixtures.plane(options);
  theirs = await RealEnvoy.start(options);
  fixtures.onClose(() => theirs.close());
});
afterAll(() => fixtures.close());

const counters = ["consecutive_5xx", "consecutive_gateway_failure"];

describe.skipIf(envoyMissing)("errors of a host, as a matcher has them", () => {
  it.each([
    ["404 and 503", [404, 404], 1],
    ["404 and 503", [503, 503], 1],
    ["404 and 503", [500, 500], 0],
    ["404 and 503", [404, 200, 503], 0],
    ["none but 404", [503, 503], 0],
    ["none but 404", [404, 404], 1],
    ["all but 500", [500, 500], 0],
    ["all but 500", [501, 502], 1],
    ["by header", [500, 500], 0],
    ["by header", [200, 200], 1, "yes"],
    ["by header", [200, 200], 0, "no"],
  ] as [string, number[], number, string?][])("%s: %j", async (name, codes, detected, sick) => {
    const look = async () => {
      const stat = (counter: string) => `cluster.${name}.outlier_detection.ejections_detected_${counter}`;
      const values = counters.map(async (counter) => [ours.counter(stat(counter)), await theirs.stat(stat(counter))]);
      return Promise.all(values);
    };
    // So that what came before does not count on.
    const ask = async (port: number, code: number, healthy = false) => {
      const headers = { "x-cluster": name, "x-status": String(code), ...(sick && !healthy && { "x-sick": sick }) };
      await (await fetch(`http://127.0.0.1:${port}/`, { headers })).arrayBuffer();
    };
    const before = await look();
    for (const port of [ours.port, theirs.port]) {
      await ask(port, 200, true);
      for (const code of codes) await ask(port, code);
    }
    const after = await look();
    const since = after.map((pair, i) => pair.map((value, j) => value - (before[i]?.[j] ?? 0)));
    expect(since[0]).toEqual([detected, detected]);
    expect(since[1]?.[0]).toBe(since[1]?.[1]);
  });
});
