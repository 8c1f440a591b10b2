import { once } from "node:events";
import { type ClientHttp2Session, connect, constants, createServer, type IncomingHttpHeaders } from "node:http2";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { staticCluster, toCluster } from "./test-plane.ts";
import { BesideEnvoy, envoyMissing } from "./testing/beside-envoy.ts";

// Calls of gRPC over HTTP/2 through real Envoy and through our data path: which are tried again, what faults and the proxy's own answers look like, what is logged.

const both = new BesideEnvoy();
const http2Only: JsonObject = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

/** An upstream: `/head-N` ends with a status in its only head, `/tail-N` with one behind a message, `/reset-N` breaks off with a code of HTTP/2. */
async function upstream(): Promise<number> {
  const server = createServer();
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.resume();
    stream.on("end", () => {
      const [, kind = "", number = "0"] = /(head|tail|reset)-(\d+)$/.exec(String(headers[":path"])) ?? [];
      const head = { ":status": 200, "content-type": "application/grpc" };
      if (kind === "reset") stream.close(Number(number));
      else if (kind === "head") {
        stream.respond({ ...head, "grpc-status": number, "grpc-message": "as asked" }, { endStream: true });
      } else {
        stream.respond(head, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": number }));
        stream.end(Buffer.from("\0\0\0\0\x02ok"));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  both.fixtures.onClose(() => void server.close());
  return (server.address() as AddressInfo).port;
}

const conditions = ["cancelled", "deadline-exceeded", "resource-exhausted", "unavailable", "internal"] as const;
const faultType = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault";
const all = { numerator: 100 };

const fault = (prefix: string, abort: JsonObject): JsonObject => ({
  ...toCluster("up"),
  match: { prefix },
  typed_per_filter_config: { "envoy.filters.http.fault": { "@type": faultType, abort: { ...abort, percentage: all } } },
});

beforeAll(async () => {
  if (envoyMissing) return;
  const up = await upstream();
  const gone = await both.fixtures.tcp((socket) => void socket.destroy());
  const again = (retry_on: string): JsonObject => ({
    retry_policy: { retry_on, num_retries: 2, retry_back_off: { base_interval: "0.001s" } },
  });
  const direct = (status: number): JsonObject => ({
    match: { prefix: `/direct-${status}/` },
    direct_response: { status, body: { inline_string: "50 % of\nnö" } },
  });
  const routes = [
    ...conditions.map((name) => ({ ...toCluster("up", again(name)), match: { prefix: `/${name}/` } })),
    { ...toCluster("up", again("reset,refused-stream")), match: { prefix: "/broken/" } },
    ...[...Array(17).keys()].map((code) => fault(`/fault-${code}/`, { grpc_status: code })),
    ...[400, 401, 403, 404, 418, 429, 500, 502, 503, 504].map((status) =>
      fault(`/http-${status}/`, { http_status: status }),
    ),
    ...[200, 400, 404, 429, 500, 503].map(direct),
    { ...toCluster("gone"), match: { prefix: "/gone/" } },
    { ...toCluster("nowhere"), match: { prefix: "/nowhere/" } },
    { ...toCluster("nobody"), match: { prefix: "/nobody/" } },
    { ...toCluster("full"), match: { prefix: "/full/" } },
    { ...toCluster("up"), match: { prefix: "/plain/" } },
  ];
  const filters = [{ name: "envoy.filters.http.fault", typed_config: { "@type": faultType } }];
  await both.start(
    {
      all: {
        clusters: [
          staticCluster("up", [up], http2Only),
          staticCluster("gone", [gone], http2Only),
          staticCluster("nobody", [], http2Only),
          staticCluster("full", [up], { ...http2Only, circuit_breakers: { thresholds: [{ max_requests: 0 }] } }),
        ],
        routes,
        filters,
        manager: { http2_protocol_options: {} },
      },
    },
    {},
    "%RESPONSE_CODE% %RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %GRPC_STATUS% %GRPC_STATUS_NUMBER% %PROTOCOL% %UPSTREAM_PROTOCOL% %UPSTREAM_REQUEST_ATTEMPT_COUNT%",
  );
}, 90_000);
afterAll(() => both.close());

interface Answer {
  readonly head: Record<string, unknown>;
  readonly body: string;
  readonly trailers: Record<string, unknown>;
  readonly reset: number;
}

const varying = new Set(["date", "x-envoy-upstream-service-time"]);
const steady = (fields: IncomingHttpHeaders): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !varying.has(name)));

async function call(session: ClientHttp2Session, headers: Record<string, string>): Promise<Answer> {
  const stream = session.request({ ":method": "POST", ":authority": "a.test", te: "trailers", ...headers });
  const parts: Buffer[] = [];
  let head: Record<string, unknown> = {};
  let trailers: Record<string, unknown> = {};
  stream.on("error", () => {});
  stream.on("response", (fields) => {
    head = steady(fields);
  });
  stream.on("trailers", (fields) => {
    trailers = steady(fields);
  });
  stream.on("data", (bytes: Buffer) => parts.push(bytes));
  stream.end(Buffer.from("\0\0\0\0\x02hi"));
  await once(stream, "close");
  return { head, body: Buffer.concat(parts).toString("latin1"), trailers, reset: stream.rstCode };
}

const ask = (path: string, more: Record<string, string> = {}) =>
  both.exchange("all", "$ASK", async (port, text) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on("error", () => {});
    const [, id = ""] = text.split(": ");
    const answer = await call(session, { ":path": path, "content-type": "application/grpc", "x-ask": id, ...more });
    session.destroy();
    return answer;
  });

async function alike(path: string, more: Record<string, string> = {}): Promise<string> {
  const { mine, theirs } = await ask(path, more);
  expect(mine, path).toEqual(theirs);
  return mine.log;
}

const attempts = (log: string) => Number(log.split(" ").at(-1));

describe.skipIf(envoyMissing)("calls of gRPC, like Envoy", () => {
  it.each(conditions)("retries on %s: every status, in a head alone and behind a message", async (name) => {
    const tried: number[] = [];
    for (let code = 0; code <= 16; code++) {
      if (attempts(await alike(`/${name}/head-${code}`)) === 3) tried.push(code);
      // What has begun to be passed on is not tried again.
      expect(attempts(await alike(`/${name}/tail-${code}`))).toBe(1);
    }
    const own = { cancelled: 1, "deadline-exceeded": 4, "resource-exhausted": 8, unavailable: 14, internal: 13 }[name];
    expect(tried).toEqual([own]);
  });

  it("retries that the call asks for", async () => {
    for (const name of conditions) {
      for (const code of [1, 4, 8, 13, 14]) {
        await alike(`/plain/head-${code}`, { "x-envoy-retry-grpc-on": name, "x-envoy-max-retries": "1" });
      }
    }
  });

  it.each([
    constants.NGHTTP2_NO_ERROR,
    constants.NGHTTP2_INTERNAL_ERROR,
    constants.NGHTTP2_REFUSED_STREAM,
    constants.NGHTTP2_CANCEL,
    constants.NGHTTP2_ENHANCE_YOUR_CALM,
  ])("a reset by the upstream with code %d, tried again and not", async (code) => {
    await alike(`/broken/reset-${code}`);
    await alike(`/plain/reset-${code}`);
  });

  it("faults with a status of gRPC, for calls and for others", async () => {
    for (let code = 0; code <= 16; code++) {
      await alike(`/fault-${code}/`);
      await alike(`/fault-${code}/`, { "content-type": "text/plain" });
    }
  });

  it("faults with a status of HTTP", async () => {
    for (const status of [400, 401, 403, 404, 418, 429, 500, 502, 503, 504]) await alike(`/http-${status}/`);
  });

  it.each(["application/grpc", "application/grpc+proto", "application/grpc; a=b", "application/grpcx", "text/plain"])(
    "answers of the proxy's own to %s",
    async (type) => {
      const paths = [...[200, 400, 404, 429, 500, 503].map((status) => `/direct-${status}/`)];
      for (const path of [...paths, "/gone/x", "/nowhere/x", "/nobody/x", "/full/x", "/no-route"]) {
        await alike(path, { "content-type": type });
      }
    },
  );
});
