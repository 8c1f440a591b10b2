import { fromJson, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack, StructSchema } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import {
  AccessLogType,
  HTTPAccessLogEntry_HTTPVersion,
  type HTTPAccessLogEntrySchema,
} from "../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import { type Direction, directionOfLogName } from "../wire/access-log-names.ts";
import { flagNames } from "../wire/response-flags.ts";
import { readNode } from "./peer.ts";
import { PeerBook } from "./peer-book.ts";
import { type EdgeKey, edgeId, type TrafficRecord, unknownPeer } from "./record.ts";
import { encodedLogs, readRecords } from "./testing/encoded-logs.ts";

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

function entry(common: Common, rest: Init): Init {
  return {
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
  };
}

const records = (direction: Direction | undefined, common: Common = {}, rest: Init = {}): TrafficRecord[] =>
  readRecords(encodedLogs({ http: [entry(common, rest)] }), { reporter, direction });

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

it("may stand for many requests, whose bytes are totals", () => {
  const count = (text: string) => records("outbound", { customTags: { "limpid.count": text } })[0];
  expect(count("17")).toMatchObject({ count: 17, detailed: false, responseBytes: 750 });
  for (const nonsense of ["0", "-3", "1.5", "many"]) expect(count(nonsense)?.count).toBe(1);
  expect(records("outbound")[0]).toMatchObject({ count: 1, detailed: true });
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

  it("has what the certificates of both sides say, which is part of no identity", () => {
    const of = (value: string) => ({ subjectAltName: [{ san: { case: "uri" as const, value } }] });
    const [source, destination] = ["spiffe://cluster.local/ns/default/sa/a", "spiffe://cluster.local/ns/default/sa/b"];
    const tlsProperties = { peerCertificateProperties: of(source), localCertificateProperties: of(destination) };
    const [{ edge: told } = { edge: undefined }] = records("inbound", { tlsProperties });
    expect(told).toMatchObject({ mtls: true, principals: { source, destination } });
    expect(records("inbound")[0]?.edge.principals).toBeUndefined();
    const [{ edge: reached } = { edge: undefined }] = records("outbound", {
      customTags: { "limpid.reached": destination },
    });
    expect(reached?.principals).toEqual({ source: "", destination });
    const { principals: _, ...bare } = reached as EdgeKey;
    expect(edgeId(bare)).toBe(edgeId(reached as EdgeKey));
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

describe("an entry of a configuration that is not Limpid's", () => {
  const direction = (common: Common) => {
    const [first] = records(undefined, common);
    return first?.edge.gateway ? "gateway" : first?.edge.reporter === "source" ? "outbound" : "inbound";
  };
  const port = (portValue: number): Common["downstreamLocalAddress"] => ({
    address: {
      case: "socketAddress",
      value: { address: "10.0.0.1", portSpecifier: { case: "portValue", value: portValue } },
    },
  });

  it("has its direction from the cluster's name, else from Istio's ports", () => {
    expect(direction({ upstreamCluster: `outbound|9080||reviews.${domain}` })).toBe("outbound");
    expect(direction({ upstreamCluster: "inbound|9080||" })).toBe("inbound");
    expect(direction({ upstreamCluster: "InboundPassthroughCluster" })).toBe("inbound");
    expect(direction({ downstreamLocalAddress: port(15_006) })).toBe("inbound");
    expect(direction({ downstreamLocalAddress: port(15_001) })).toBe("outbound");
  });

  it("of a proxy of another convention is a gateway's", () => {
    const edge = readNode({ id: "edge-1", cluster: "front" });
    const logs = encodedLogs({ http: [entry({ upstreamCluster: "backend" }, {})] });
    const read = readRecords(logs, { reporter: edge, direction: undefined });
    expect(read.map(({ edge: { gateway, reporter: by, service } }) => [gateway, by, service])).toEqual([
      [true, "destination", "front..svc.cluster.local"],
      [true, "source", "backend"],
    ]);
  });

  it("has its peers from Istio's metadata", () => {
    const peer = (fields: Record<string, string>): Common["filterStateObjects"] => ({
      upstream_peer: anyPack(
        StructSchema,
        fromJson(StructSchema, { ...fields, LABELS: { app: "reviews", version: "v3" } }),
      ),
    });
    const [record] = records(undefined, {
      upstreamCluster: `outbound|9080||reviews.${domain}`,
      filterStateObjects: peer({ NAME: "reviews-v3-abc", NAMESPACE: "prod", WORKLOAD_NAME: "reviews-v3" }),
    });
    expect(record?.edge.destination).toEqual({
      workload: "reviews-v3",
      namespace: "prod",
      app: "reviews",
      version: "v3",
    });
  });

  it("has its peer from what others said of the address", () => {
    const upstreamRemoteAddress = port(9080);
    const peers = new PeerBook();
    const known = {
      upstreamRemoteAddress,
      customTags: { "limpid.destination": "reviews-v2;default;reviews;v2;limpid" },
    };
    readRecords(encodedLogs({ http: [entry(known, {})] }), { reporter, direction: "outbound", peers });
    const [record] = readRecords(
      encodedLogs({ http: [entry({ upstreamRemoteAddress, upstreamCluster: "a-static-cluster" }, {})] }),
      { reporter, direction: undefined, peers },
    );
    expect(record?.edge).toMatchObject({ destination: reviews });
  });
});

it("has gRPC's status from the trailers, or from the headers of a response that has no others", () => {
  const status = (response: Init["response"]) => records("outbound", {}, { response })[0]?.grpcStatus;
  expect(status({ responseTrailers: { "grpc-status": "12" } })).toBe(12);
  expect(status({ responseHeaders: { "grpc-status": "14" } })).toBe(14);
  expect(status({ responseTrailers: { "grpc-status": "0" } })).toBe(0);
  expect(status({ responseTrailers: { "grpc-status": "nonsense" } })).toBe(2);
  expect(status({})).toBe(-1);
});

it("knows gRPC by its trailer or content type", () => {
  const byTrailer = { response: { responseTrailers: { "grpc-status": "0" } } };
  const byType = { request: { requestHeaders: { "content-type": "application/grpc+proto" } } };
  expect(records("inbound", {}, byTrailer)[0]?.edge.protocol).toBe("grpc");
  expect(records("inbound", {}, byType)[0]?.edge.protocol).toBe("grpc");
});

it("counts a TCP connection once, at its end", () => {
  const tcp = (common: Common) => ({
    commonProperties: { upstreamCluster: `outbound|3306||mysql.${domain}`, ...common },
    connectionProperties: { receivedBytes: 10n, sentBytes: 20n },
  });
  const read = (common: Common) =>
    readRecords(encodedLogs({ tcp: [tcp(common)] }), { reporter, direction: "outbound" });
  expect(read({ intermediateLogEntry: true })).toEqual([]);
  expect(read({ accessLogType: AccessLogType.TcpPeriodic })).toEqual([]);
  expect(read({ accessLogType: AccessLogType.TcpConnectionEnd })).toHaveLength(1);
  expect(read({})).toMatchObject([
    { code: 0, requestBytes: 10, responseBytes: 20, edge: { protocol: "tcp", service: `mysql.${domain}` } },
  ]);
});

it("counts no health check: a proxy that probes is no caller", () => {
  const by = (userAgent: string) => ({ request: { authority: "reviews:9080", path: "/healthz", userAgent } });
  expect(records("inbound", {}, by("Envoy/HC"))).toEqual([]);
  expect(records("inbound", {}, by("Envoy/HC2"))).toHaveLength(1);
});

it("tells the direction from the log's name, and nothing from a stranger's", () => {
  expect(["limpid.outbound", "limpid.inbound", "limpid.gateway"].map(directionOfLogName)).toEqual([
    "outbound",
    "inbound",
    "gateway",
  ]);
  expect(["", "outbound", "limpid.", "limpid.x", "other"].map(directionOfLogName)).toEqual(Array(5).fill(undefined));
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

it("counts the messages of a gRPC call, and none where nobody told of any", () => {
  const messages = (text: string) =>
    records("inbound", { customTags: { "limpid.messages": text } }).map((record) => [
      record.requestMessages,
      record.responseMessages,
    ]);
  expect(messages("3,70000")).toEqual([[3, 70_000]]);
  for (const none of ["", "-", "3", "-1,2", "1,2,3"]) expect(messages(none)).toEqual([[0, 0]]);
});

it("carries what Telemetry changes of metrics, of who tells it, and of nobody what is none", () => {
  const metrics = (text: string, direction: Direction = "outbound") =>
    records(direction, { customTags: { "limpid.metrics": text } }).map((record) =>
      record.edge.metrics?.get("REQUEST_COUNT"),
    );
  const changed = { disabled: false, tags: [["response_code", null]] };
  const text = '[[["REQUEST_COUNT"],0,{"response_code":null}]]';
  expect([metrics(text), metrics(text, "inbound")]).toEqual([[changed], [changed]]);
  expect([metrics("rubbish"), metrics("")]).toEqual([[undefined], [undefined]]);
});
