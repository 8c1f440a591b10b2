import { createSecureServer } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, expect, it } from "vitest";
import { TestAuthority, type TestCertificate } from "../secret/testing/certificates.ts";
import { eventually, Fixtures, staticCluster, toCluster } from "../test-plane.ts";
import { trusting, upstreamTls } from "../tls/testing/contexts.ts";

const fixtures = new Fixtures();
let ca: TestAuthority;
let own: TestCertificate;
beforeAll(async () => {
  ca = await TestAuthority.create();
  own = await ca.issue({ dns: ["test"] });
});
afterEach(() => fixtures.close());

const auto: JsonObject = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      auto_config: { http_protocol_options: {}, http2_protocol_options: {} },
    },
  },
};

/** Answers with the protocol that it was asked in. */
async function server(http2: boolean): Promise<number> {
  const certificate = { key: own.key, cert: own.chain };
  const made = http2
    ? createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
        response.end(`HTTP/${request.httpVersion}`);
      })
    : createHttpsServer(certificate, (request, response) => void response.end(`HTTP/${request.httpVersion}`));
  fixtures.onClose(() => void made.close());
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", () => resolve()));
  return (made.address() as AddressInfo).port;
}

const start = async (port: number, more: JsonObject = {}) => {
  const tls = upstreamTls(trusting(ca.pem), more);
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [port], { ...auto, ...tls })],
    routes: [toCluster("up")],
  });
  const get = async () => (await fetch(`http://127.0.0.1:${test.port}/`)).text();
  return { test, get };
};

it.each([
  ["HTTP/2 where the server knows it", true, "HTTP/2.0", 1],
  ["HTTP/1.1 where it doesn't", false, "HTTP/1.1", 0],
])("%s", async (_, both, answer, http2) => {
  const { test, get } = await start(await server(both));
  expect(await get()).toBe(answer);
  expect(await get()).toBe(answer);
  expect(test.counter("cluster.up.upstream_cx_http2_total")).toBe(http2);
  expect(test.counter("cluster.up.upstream_cx_total")).toBe(1);
  const posted = await fetch(`http://127.0.0.1:${test.port}/`, {
    method: "POST",
    body: new Blob(["some", "more"]).stream(),
    duplex: "half",
  } as RequestInit);
  expect(await posted.text()).toBe(answer);
  expect(await Promise.all([get(), get(), get()])).toEqual([answer, answer, answer]);
});

it("a certificate of others, and nobody there, are told as ever", async () => {
  const stranger = await TestAuthority.create("stranger");
  const port = await server(true);
  const tls = upstreamTls(trusting(stranger.pem));
  const test = await fixtures.plane({
    clusters: [staticCluster("up", [port], { ...auto, ...tls }), staticCluster("dead", [1], { ...auto, ...tls })],
    routes: [{ ...toCluster("dead"), match: { prefix: "/dead" } }, toCluster("up")],
  });
  expect((await fetch(`http://127.0.0.1:${test.port}/`)).status).toBe(503);
  await eventually(() => test.records.length === 1);
  expect(test.lastRecord.upstreamTransportFailureReason).toContain("CERTIFICATE_VERIFY_FAILED");
  expect((await fetch(`http://127.0.0.1:${test.port}/dead`)).status).toBe(503);
  await eventually(() => test.gauge("cluster.up.upstream_cx_active") === 0);
  expect(test.gauge("cluster.dead.upstream_cx_active")).toBe(0);
});
