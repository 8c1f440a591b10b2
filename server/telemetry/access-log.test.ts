import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import {
  HTTPAccessLogEntry_HTTPVersion,
  HTTPAccessLogEntrySchema,
  TCPAccessLogEntrySchema,
} from "../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { flagNames } from "../wire/response-flags.ts";
import { type Direction, directionOf, httpRecords, tcpRecords } from "./access-log.ts";
import { readNode } from "./peer.ts";
import { unknownPeer } from "./record.ts";

const domain = "default.svc.cluster.local";
const reporter = readNode({
  id: `sidecar~127.0.1.2~productpage-v1.default~${domain}`,
  cluster: "productpage.default",
  metadata: {
    NAME: "productpage-v1",
    NAMESPACE: "default",
    WORKLOAD_NAME: "productpage-v1",
    LABELS: { app: "productpage", version: "v1" },
  },
});
const self = { workload: "productpage-v1", namespace: "default", app: "productpage", version: "v1" };
const reviews = { workload: "reviews-v2", namespace: "default", app: "reviews", version: "v2" };

type Init = Exclude<MessageInitShape<typeof HTTPAccessLogEntrySchema>, { $typeName: string }>;
type Common = Exclude<NonNullable<Init["commonProperties"]>, { $typeName: string }>;

function entry(common: Common, rest: Init) {
  return create(HTTPAccessLogEntrySchema, {
    protocolVersion: HTTPAccessLogEntry_HTTPVersion.HTTP11,
    request: { authority: "reviews:9080", path: "/reviews/0", requestMethod: 1, requestId: "id-1" },
    response: {
      responseCode: 200,
      responseBodyBytes: 700n,
      responseHeadersBytes: 50n,
      responseCodeDetails: "via_upstream",
    },
    ...rest,
    commonProperties: { startTime: { seconds: 1000n, nanos: 500_000_000 }, ...common },
  });
}

const records = (direction: Direction, common: Common = {}, rest: Init = {}) =>
  httpRecords(entry(common, rest), direction, reporter);

describe("an outbound entry", () => {
  it("is the reporter's call to the workload that was reached", () => {
    const [record, ...more] = records("outbound", {
      duration: { seconds: 1n, nanos: 250_000 },
      upstreamCluster: `outbound|9080|v2|reviews.${domain}`,
      upstreamRemoteAddress: {
        address: {
          case: "socketAddress",
          value: { address: "127.0.1.4", portSpecifier: { case: "portValue", value: 9080 } },
        },
      },
      customTags: {
        "limpid.destination": "reviews-v2;default;reviews;v2;limpid",
        "limpid.config": "/apis/x",
      },
      responseFlags: { delayInjected: true },
    });
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      timeMs: 1_001_500.25,
      durationMs: 1000.25,
      edge: { reporter: "source", gateway: false, source: self, service: `reviews.${domain}`, destination: reviews },
      code: 200,
      responseBytes: 750,
      method: "GET",
      path: "/reviews/0",
      requestId: "id-1",
      upstreamHost: "127.0.1.4:9080",
      config: "/apis/x",
    });
    expect(flagNames(record?.flags ?? 0)).toEqual(["DI"]);
  });

  it("that reached no host has the subset of its cluster as version", () => {
    const [record] = records("outbound", { upstreamCluster: `outbound|9080|v3|reviews.${domain}` });
    expect(record?.edge.destination).toEqual({ workload: "", namespace: "default", app: "reviews", version: "v3" });
  });

  it("takes the cluster from the tag where Envoy leaves the field empty", () => {
    const [record] = records("outbound", { customTags: { "limpid.cluster": `outbound|9080|v3|reviews.${domain}` } });
    expect(record?.edge).toMatchObject({ service: `reviews.${domain}`, destination: { version: "v3" } });
  });

  it.each([
    ["reviews:9080", `reviews.${domain}`],
    ["reviews.default:9080", `reviews.${domain}`],
    [`reviews.${domain}:9080`, `reviews.${domain}`],
    ["api.example.com", "api.example.com"],
  ])("of an aborted route without a cluster goes to the host it names: %s", (authority, service) => {
    const rest = { request: { authority }, response: { responseCode: 503 } };
    expect(records("outbound", { routeName: "default" }, rest)[0]?.edge.service).toBe(service);
    expect(records("outbound", { customTags: { "limpid.config": "/x" } }, rest)[0]?.edge.service).toBe(service);
  });

  it.each(["", "block_all"])("of an unknown host goes to one place for all, route name '%s'", (routeName) => {
    const [record] = records("outbound", { routeName }, { request: { authority: "random-7.example" } });
    expect(record?.edge).toMatchObject({ service: "BlackHoleCluster", destination: { app: "BlackHoleCluster" } });
  });

  it("without a response has code 0", () => {
    const [record] = records(
      "outbound",
      { responseFlags: { downstreamConnectionTermination: true } },
      { response: {} },
    );
    expect(record?.code).toBe(0);
    expect(flagNames(record?.flags ?? 0)).toEqual(["DC"]);
  });
});

describe("an inbound entry", () => {
  it("is told by the destination, about the peer that the header names", () => {
    const requestHeaders = { "x-limpid-peer": "gw;istio-system;istio-ingressgateway;latest;limpid" };
    const [record] = records("inbound", { upstreamCluster: "inbound|9080||" }, { request: { requestHeaders } });
    expect(record?.edge).toEqual({
      reporter: "destination",
      gateway: false,
      source: { workload: "gw", namespace: "istio-system", app: "istio-ingressgateway", version: "latest" },
      service: `productpage.${domain}`,
      destination: self,
      protocol: "http",
      mtls: false,
    });
  });

  it("without the header has an unknown source", () => {
    expect(records("inbound")[0]?.edge.source).toEqual(unknownPeer);
  });

  it("is mTLS when the peer showed a certificate", () => {
    const peerCertificateProperties = { subjectAltName: [{ san: { case: "uri" as const, value: "spiffe://x" } }] };
    expect(records("inbound", { tlsProperties: { peerCertificateProperties } })[0]?.edge.mtls).toBe(true);
    expect(records("inbound", { tlsProperties: {} })[0]?.edge.mtls).toBe(false);
  });
});

describe("a gateway's entry", () => {
  it("is two calls: the client's to the gateway, and the gateway's onward", () => {
    const [client, onward, ...more] = records("gateway", {
      upstreamCluster: `outbound|9080||reviews.${domain}`,
      customTags: { "limpid.destination": "reviews-v2;default;reviews;v2;limpid" },
    });
    expect(more).toEqual([]);
    expect(client?.edge).toMatchObject({
      reporter: "destination",
      gateway: true,
      source: unknownPeer,
      destination: self,
    });
    expect(client?.edge.service).toBe(`productpage.${domain}`);
    expect(onward?.edge).toMatchObject({ reporter: "source", gateway: true, source: self, destination: reviews });
  });

  it("that ended in the gateway is the client's call only", () => {
    const redirect = { routeName: "to-https", customTags: { "limpid.config": "/x" } };
    expect(records("gateway", redirect, { response: { responseCode: 301 } })).toHaveLength(1);
    expect(records("gateway", {}, { response: { responseCode: 404 } })).toHaveLength(1);
  });
});

it("knows gRPC by its trailer or content type", () => {
  const byTrailer = { response: { responseTrailers: { "grpc-status": "0" } } };
  const byType = { request: { requestHeaders: { "content-type": "application/grpc+proto" } } };
  expect(records("inbound", {}, byTrailer)[0]?.edge.protocol).toBe("grpc");
  expect(records("inbound", {}, byType)[0]?.edge.protocol).toBe("grpc");
});

it("counts a TCP connection once, at its end", () => {
  const tcp = (intermediateLogEntry: boolean) =>
    create(TCPAccessLogEntrySchema, {
      commonProperties: { intermediateLogEntry, upstreamCluster: `outbound|3306||mysql.${domain}` },
      connectionProperties: { receivedBytes: 10n, sentBytes: 20n },
    });
  expect(tcpRecords(tcp(true), "outbound", reporter)).toEqual([]);
  expect(tcpRecords(tcp(false), "outbound", reporter)).toMatchObject([
    { code: 0, requestBytes: 10, responseBytes: 20, edge: { protocol: "tcp", service: `mysql.${domain}` } },
  ]);
});

it("tells the direction from the log's name, and nothing from a stranger's", () => {
  expect(["limpid.outbound", "limpid.inbound", "limpid.gateway"].map(directionOf)).toEqual([
    "outbound",
    "inbound",
    "gateway",
  ]);
  expect(["", "outbound", "limpid.", "limpid.x", "other"].map(directionOf)).toEqual(Array(5).fill(undefined));
});

it("keeps to numbers that add up and come back from a database as they were", () => {
  const [record] = records(
    "inbound",
    { duration: { seconds: 2n ** 63n - 1n, nanos: 0 } },
    { request: { requestBodyBytes: 2n ** 64n - 1n }, response: { responseBodyBytes: 2n ** 60n } },
  );
  expect(record).toMatchObject({ requestBytes: 2 ** 44, responseBytes: 2 ** 44 });
  expect((record?.durationMs ?? 0) * 1000).toBeLessThan(Number.MAX_SAFE_INTEGER);
});
