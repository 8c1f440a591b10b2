import { createServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import type { JsonObject } from "@bufbuild/protobuf";
import { afterEach, beforeAll, expect, it } from "vitest";
import { TestAuthority, type TestCertificate } from "../secret/testing/certificates.ts";
import { clusterFrom, eventually, Fixtures, lbEndpoint, staticCluster, toCluster } from "../test-plane.ts";
import { trusting, upstreamTls } from "../tls/testing/contexts.ts";

const fixtures = new Fixtures();
let ca: TestAuthority;
let own: TestCertificate;
beforeAll(async () => {
  ca = await TestAuthority.create();
  own = await ca.issue({ dns: ["test"] });
});
afterEach(() => fixtures.close());

async function listen(made: Server): Promise<number> {
  fixtures.onClose(() => void made.close());
  await new Promise<void>((resolve) => made.listen(0, "127.0.0.1", () => resolve()));
  return (made.address() as AddressInfo).port;
}
const plainServer = () => listen(createServer((_, response) => void response.end("plain")));
const tlsServer = () =>
  listen(createHttpsServer({ key: own.key, cert: own.chain }, (_, response) => void response.end("TLS")));

const labelled = (port: number, labels: JsonObject): JsonObject => ({
  ...lbEndpoint(port),
  metadata: { filter_metadata: { "envoy.transport_socket_match": labels } },
});

const raw: JsonObject = {
  transport_socket: {
    name: "envoy.transport_sockets.raw_buffer",
    typed_config: { "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer" },
  },
};

const cluster = (endpoints: JsonObject[], extra: JsonObject = {}): JsonObject =>
  staticCluster("up", [], {
    load_assignment: { cluster_name: "up", endpoints: [{ lb_endpoints: endpoints }] },
    transport_socket_matches: [
      { name: "mutual", match: { tlsMode: "istio" }, ...upstreamTls(trusting(ca.pem)) },
      { name: "plain", match: {}, ...raw },
    ],
    ...extra,
  });

async function start(config: JsonObject) {
  const test = await fixtures.plane({ clusters: [config], routes: [toCluster("up")] });
  const ask = async () => (await fetch(`http://127.0.0.1:${test.port}/`)).text();
  /** Of as many calls as go once around. */
  const both = async () => [await ask(), await ask()].toSorted();
  return { test, both };
}

it("each endpoint is connected to as the first match of its metadata says", async () => {
  const [tls, plain] = [await tlsServer(), await plainServer()];
  const config = cluster([labelled(tls, { tlsMode: "istio", other: 1 }), lbEndpoint(plain)]);
  const { test, both } = await start(config);
  expect(await both()).toEqual(["TLS", "plain"]);
  expect(await both()).toEqual(["TLS", "plain"]);
  expect(test.counter("cluster.up.ssl.handshake")).toBe(1);
  expect(test.counter("cluster.up.upstream_cx_total")).toBe(2);
});

it("what no match fits has the cluster's own; a value has to be the same, not only the key", async () => {
  const [tls, plain] = [await tlsServer(), await plainServer()];
  const { both } = await start(
    cluster([labelled(tls, { tlsMode: "other" }), labelled(plain, { tlsMode: "none" })], {
      ...upstreamTls(trusting(ca.pem)),
      transport_socket_matches: [{ name: "plain", match: { tlsMode: "none" }, ...raw }],
    }),
  );
  expect(await both()).toEqual(["TLS", "plain"]);
});

it("the same settings again keep connections; others do not", async () => {
  const endpoints = [labelled(await tlsServer(), { tlsMode: "istio" }), lbEndpoint(await plainServer())];
  const { test, both } = await start(cluster(endpoints));
  await both();
  test.plane.setCluster(clusterFrom(cluster(endpoints, { connect_timeout: "2s" })));
  expect(await both()).toEqual(["TLS", "plain"]);
  expect(test.counter("cluster.up.upstream_cx_total")).toBe(2);
  const stranger = await TestAuthority.create("stranger");
  const match = { name: "mutual", match: { tlsMode: "istio" }, ...upstreamTls(trusting(stranger.pem)) };
  test.plane.setCluster(clusterFrom(cluster(endpoints, { transport_socket_matches: [match] })));
  expect(await both()).toEqual(["plain", expect.stringContaining("remote connection failure")]);
  await eventually(() => test.records.length === 6);
  const reasons = test.records.slice(4).map(({ upstreamTransportFailureReason }) => upstreamTransportFailureReason);
  expect(reasons.join()).toContain("CERTIFICATE_VERIFY_FAILED");
});

it("a match without a transport is refused by name", async () => {
  const { plane } = await fixtures.plane({});
  expect(plane.setCluster(clusterFrom(cluster([], { transport_socket_matches: [{ name: "x" }] })))[0]).toContain(
    "transport_socket_matches[0].transport_socket.typed_config: required",
  );
});
