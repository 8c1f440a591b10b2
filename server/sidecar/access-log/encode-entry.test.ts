import { fromBinary } from "@bufbuild/protobuf";
import { describe, expect, it } from "vitest";
import { ResponseFlags_Unauthorized_Reason as Unauthorized } from "../../gen/proto/envoy/data/accesslog/v3/accesslog_pb.js";
import {
  StreamAccessLogsMessage_HTTPAccessLogEntriesSchema,
  StreamAccessLogsMessage_TCPAccessLogEntriesSchema,
} from "../../gen/proto/envoy/service/accesslog/v3/als_pb.js";
import { ResponseFlag } from "../record.ts";
import { flagFieldNumbers } from "../response-flags.ts";
import { type EntryOptions, encodeEntry, encodeTcpEntry } from "./encode-entry.ts";
import { ProtoWriter } from "./proto-writer.ts";
import { sampleRecord } from "./testing/sample-record.ts";

const none: EntryOptions = {
  requestHeaders: [],
  responseHeaders: [],
  responseTrailers: ["grpc-status"],
  customTags: [],
};

function decoded(record = sampleRecord(), options = none) {
  const writer = new ProtoWriter(16);
  encodeEntry(writer, record, options);
  const bytes = writer.buffer.subarray(0, writer.position);
  const { logEntry } = fromBinary(StreamAccessLogsMessage_HTTPAccessLogEntriesSchema, bytes);
  expect(logEntry).toHaveLength(1);
  const [entry] = logEntry;
  if (entry?.commonProperties === undefined || entry.request === undefined || entry.response === undefined) {
    throw new Error("incomplete entry");
  }
  return { common: entry.commonProperties, request: entry.request, response: entry.response, entry };
}

describe("encodeEntry", () => {
  it("writes what protobuf-es reads, field by field", () => {
    const { common, request, response, entry } = decoded();
    const socket = (address: { address: { case?: string; value?: unknown } } | undefined) => address?.address.value;
    expect(socket(common.downstreamRemoteAddress)).toMatchObject({
      address: "127.0.1.2",
      portSpecifier: { case: "portValue", value: 45678 },
    });
    expect(socket(common.downstreamLocalAddress)).toMatchObject({ portSpecifier: { value: 15001 } });
    expect(socket(common.upstreamRemoteAddress)).toMatchObject({
      address: "127.0.1.5",
      portSpecifier: { value: 9080 },
    });
    expect(common.startTime).toMatchObject({ seconds: 1_794_999_645n, nanos: 123_456_000 });
    expect(common.duration).toMatchObject({ seconds: 0n, nanos: 12_345_000 });
    expect(common.timeToFirstUpstreamRxByte).toMatchObject({ seconds: 0n, nanos: 10_000_000 });
    expect(common.timeToLastRxByte?.nanos).toBe(500_000);
    expect(common.timeToFirstUpstreamTxByte?.nanos).toBe(1_250_000);
    expect(common.timeToLastUpstreamTxByte?.nanos).toBe(1_500_000);
    expect(common.timeToLastUpstreamRxByte?.nanos).toBe(11_000_000);
    expect(common.timeToFirstDownstreamTxByte?.nanos).toBe(10_500_000);
    expect(common.timeToLastDownstreamTxByte?.nanos).toBe(12_000_000);
    expect(common.upstreamCluster).toBe("outbound|9080|v2|reviews.default.svc.cluster.local");
    expect(common.routeName).toBe("default");
    expect(common.upstreamRequestAttemptCount).toBe(1);
    expect(common.streamId).toBe("b3b4d327-e089-46c6-add5-2c18abeba2b4");
    expect(socket(common.upstreamLocalAddress)).toMatchObject({
      address: "127.0.0.1",
      portSpecifier: { case: "portValue", value: 40123 },
    });
    // Envoy leaves it out when there is none.
    expect(common.responseFlags).toBeUndefined();
    expect(common.accessLogType).toBe(6);
    expect(entry.protocolVersion).toBe(2);
    expect(request).toMatchObject({
      requestMethod: 1,
      scheme: "http",
      authority: "reviews:9080",
      path: "/reviews/0",
      userAgent: "curl/8",
      forwardedFor: "10.0.0.1",
      requestId: "b3b4d327-e089-46c6-add5-2c18abeba2b4",
      requestHeadersBytes: 210n,
      requestBodyBytes: 0n,
    });
    expect(response).toMatchObject({
      responseCode: 200,
      responseHeadersBytes: 150n,
      responseBodyBytes: 358n,
      responseCodeDetails: "via_upstream",
    });
  });

  it("has no field for what the message has none of", () => {
    for (const bit of [ResponseFlag.dropOverload, ResponseFlag.unconditionalDropOverload]) {
      const { common } = decoded(sampleRecord({ responseFlags: bit }));
      expect(Object.values(common.responseFlags ?? {}).filter((value) => value === true)).toEqual([]);
    }
  });

  const withField = Object.entries(ResponseFlag).filter(([, bit]) => flagFieldNumbers[Math.log2(bit)] !== 0);
  it.each(withField)("maps the flag %s to its own field", (name, bit) => {
    const { common } = decoded(sampleRecord({ responseFlags: bit }));
    const set = Object.entries(common.responseFlags ?? {}).filter(
      ([field, value]) => value === true || field === "unauthorizedDetails",
    );
    const expected = name === "unauthorizedExternalService" ? "unauthorizedDetails" : name;
    expect(set.map(([field]) => field.toLowerCase())).toEqual([expected.toLowerCase()]);
    const reason = Unauthorized.EXTERNAL_SERVICE;
    if (expected !== name) expect(common.responseFlags?.unauthorizedDetails).toMatchObject({ reason });
  });

  it("writes several flags at once", () => {
    const flags = ResponseFlag.upstreamConnectionFailure | ResponseFlag.upstreamRetryLimitExceeded;
    const { common } = decoded(sampleRecord({ responseFlags: flags }));
    expect(common.responseFlags).toMatchObject({ upstreamConnectionFailure: true, upstreamRetryLimitExceeded: true });
  });

  it("leaves out what never came to pass", () => {
    const { common, response } = decoded(
      sampleRecord({
        responseCode: 0,
        upstreamRemoteAddress: "",
        timeToFirstUpstreamRxMs: 0,
        timeToLastUpstreamRxMs: -1,
      }),
    );
    expect(common.upstreamRemoteAddress).toBeUndefined();
    expect(common.upstreamLocalAddress).toBeUndefined();
    expect(common.timeToFirstUpstreamRxByte).toBeUndefined();
    expect(common.timeToLastUpstreamRxByte).toBeUndefined();
    expect(response.responseCode).toBeUndefined();
  });

  it.each([
    ["ascii around the one-byte length", "a".repeat(127)],
    ["ascii past it", "a".repeat(128)],
    ["umlauts that cross a length boundary", "ü".repeat(64)],
    ["short umlauts", "/straße"],
    ["astral", "🙂".repeat(40)],
    ["long", "/p".repeat(9000)],
  ])("keeps text: %s", (_, path) => {
    const { request, response } = decoded(sampleRecord({ path }));
    expect(request.path).toBe(path);
    expect(response.responseCode).toBe(200);
  });

  it("keeps large numbers", () => {
    const { request } = decoded(sampleRecord({ requestBodyBytes: 2 ** 40 + 5 }));
    expect(request.requestBodyBytes).toBe(2n ** 40n + 5n);
  });

  it("logs additional headers, joined, and custom tags that are not empty", () => {
    const record = sampleRecord({
      requestHeaders: ["x-a", "1", "x-b", "2", "x-a", "3"],
      responseTrailers: ["grpc-status", "14", "x-other", "1"],
    });
    const { common, request, response } = decoded(record, {
      requestHeaders: ["x-a", "x-missing"],
      responseHeaders: ["content-type"],
      responseTrailers: ["grpc-status"],
      customTags: [
        { name: "full", read: () => "yes" },
        { name: "empty", read: () => "" },
      ],
    });
    expect(request.requestHeaders).toEqual({ "x-a": "1,3" });
    expect(response.responseHeaders).toEqual({ "content-type": "application/json" });
    expect(response.responseTrailers).toEqual({ "grpc-status": "14" });
    expect(common.customTags).toEqual({ full: "yes" });
  });

  it("appends entries one after another", () => {
    const writer = new ProtoWriter(8);
    for (const path of ["/1", "/2", "/3"]) encodeEntry(writer, sampleRecord({ path }), none);
    const { logEntry } = fromBinary(
      StreamAccessLogsMessage_HTTPAccessLogEntriesSchema,
      writer.buffer.subarray(0, writer.position),
    );
    expect(logEntry.map((entry) => entry.request?.path)).toEqual(["/1", "/2", "/3"]);
  });
});

describe("encodeTcpEntry", () => {
  it("writes what protobuf-es reads: a connection's end, its bytes, whom it reached", () => {
    const writer = new ProtoWriter(16);
    const record = sampleRecord({ protocol: "", requestBodyBytes: 5_000_000_000, responseBodyBytes: 7 });
    const destination = { name: "limpid.destination", read: () => "db-v1;default;db;v1;limpid" };
    encodeTcpEntry(writer, record, { ...none, customTags: [destination] });
    const bytes = writer.buffer.subarray(0, writer.position);
    const { logEntry } = fromBinary(StreamAccessLogsMessage_TCPAccessLogEntriesSchema, bytes);
    expect(logEntry).toHaveLength(1);
    const [entry] = logEntry;
    expect(entry?.connectionProperties).toMatchObject({ receivedBytes: 5_000_000_000n, sentBytes: 7n });
    expect(entry?.commonProperties).toMatchObject({
      upstreamCluster: "outbound|9080|v2|reviews.default.svc.cluster.local",
      customTags: { "limpid.destination": "db-v1;default;db;v1;limpid" },
      accessLogType: 3,
    });
  });
});
