import { gzipSync } from "node:zlib";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { StatusSchema } from "../gen/proto/google/rpc/status_pb.js";
import {
  ExportTraceServiceRequestSchema,
  TraceService,
} from "../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { noSpanDetail } from "./span.ts";
import { runningCollector } from "./testing/running-collector.ts";

const running = runningCollector();
const traceId = "0af7651916cd43dd8448eb211c80319c";

const exportRequest = {
  resourceSpans: [
    {
      resource: { attributes: [{ key: "service.name", value: { stringValue: "reviews.default" } }] },
      scopeSpans: [
        {
          spans: [
            {
              traceId,
              spanId: "b7ad6b7169203331",
              name: "ingress",
              kind: 2,
              startTimeUnixNano: "1767225600000000000",
              endTimeUnixNano: "1767225600012000000",
              attributes: [{ key: "http.status_code", value: { stringValue: "200" } }],
              aFieldOfTheFuture: 1,
            },
          ],
        },
      ],
    },
  ],
};

/** The same in protobuf, whose ids are bytes. */
const binaryRequest = () =>
  create(ExportTraceServiceRequestSchema, {
    resourceSpans: [
      {
        resource: {
          attributes: [{ key: "service.name", value: { value: { case: "stringValue", value: "reviews.default" } } }],
        },
        scopeSpans: [
          {
            spans: [
              {
                traceId: Buffer.from(traceId, "hex"),
                spanId: Buffer.from("b7ad6b7169203331", "hex"),
                name: "ingress",
                kind: 2,
                startTimeUnixNano: 1767225600000000000n,
                endTimeUnixNano: 1767225600012000000n,
                attributes: [{ key: "http.status_code", value: { value: { case: "stringValue", value: "200" } } }],
              },
              { name: "without ids" },
            ],
          },
        ],
      },
    ],
  });

const stored = {
  traceId,
  spanId: "b7ad6b7169203331",
  parentSpanId: "",
  service: "reviews.default",
  name: "ingress",
  kind: 2,
  startUs: 1767225600000000,
  durationUs: 12_000,
  error: false,
  attributes: { "http.status_code": "200" },
  resource: { "service.name": "reviews.default" },
  ...noSpanDetail,
};

describe("spans", () => {
  it("come over gRPC", async () => {
    const client = makeClient(TraceService, running.collector.addresses().grpc);
    const response = await new Promise((resolve, reject) => {
      client.export(binaryRequest(), new Metadata(), {}, (error, answer) => (error ? reject(error) : resolve(answer)));
    });
    client.close();
    expect(response).toMatchObject({ partialSuccess: { rejectedSpans: 1n } });
    await running.collector.stop();
    expect(await running.store.trace(traceId)).toEqual([stored]);
  });

  it.each([
    [
      "protobuf",
      "application/x-protobuf",
      () => Buffer.from(toBinary(ExportTraceServiceRequestSchema, binaryRequest())),
    ],
    ["JSON, with its ids in hex", "application/json; charset=utf-8", () => Buffer.from(JSON.stringify(exportRequest))],
  ])("come over HTTP as %s, plain and gzipped", async (_, type, body) => {
    for (const [encoding, bytes] of [["identity", body()] as const, ["gzip", gzipSync(body())] as const]) {
      const headers = { "content-type": type, "content-encoding": encoding };
      const response = await fetch(running.url("/v1/traces"), { method: "POST", headers, body: bytes });
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toBe(type.split(";")[0]);
    }
    await running.collector.stop();
    expect(await running.store.trace(traceId)).toEqual([stored]);
  });

  it.each([
    [415, "text/plain", "identity", Buffer.from("{}")],
    [415, "application/json", "br", Buffer.from("{}")],
    [400, "application/json", "identity", Buffer.from("{")],
    [400, "application/json", "identity", Buffer.from('{"resourceSpans": 7}')],
    [400, "application/x-protobuf", "identity", Buffer.from([0xff, 0xff])],
    [400, "application/json", "gzip", Buffer.from("not gzip")],
    [413, "application/json", "identity", Buffer.alloc(5000)],
    [413, "application/json", "gzip", gzipSync(Buffer.alloc(100_000))],
  ])("are refused with %i: %s, %s", async (status, type, encoding, body) => {
    const headers = { "content-type": type, "content-encoding": encoding };
    const response = await fetch(running.url("/v1/traces"), { method: "POST", headers, body });
    expect(response.status).toBe(status);
    // https://opentelemetry.io/docs/specs/otlp/#failures: a google.rpc.Status, encoded as the request.
    const failure =
      type === "application/x-protobuf"
        ? fromBinary(StatusSchema, Buffer.from(await response.arrayBuffer()))
        : await response.json();
    expect(failure).toMatchObject({ code: status === 413 ? 8 : 3, message: expect.stringMatching(/\w/) });
    expect(running.collector.stats().spans).toBe(0);
  });
});

it("an attribute that is a bare 2⁶³−1 loses nothing", async () => {
  const [resource] = structuredClone(exportRequest.resourceSpans);
  const text = JSON.stringify({ resourceSpans: [resource] }).replace(
    '{"stringValue":"200"}',
    '{"intValue":9223372036854775807}',
  );
  const headers = { "content-type": "application/json" };
  expect((await fetch(running.url("/v1/traces"), { method: "POST", headers, body: text })).status).toBe(200);
  await running.collector.stop();
  expect((await running.store.trace(traceId))[0]?.attributes).toEqual({ "http.status_code": "9223372036854775807" });
});
