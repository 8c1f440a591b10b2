import { create, toBinary } from "@bufbuild/protobuf";
import { expect, it } from "vitest";
import { ListOfSpansSchema, Span_Kind } from "../gen/proto/zipkin/zipkin_pb.js";
import { zipkinSpans } from "./zipkin.ts";

const json = (spans: unknown) => ({
  body: Buffer.from(JSON.stringify(spans)),
  headers: { "content-type": "application/json" },
  maxBytes: 1e6,
});
const traceId = "0af7651916cd43dd8448eb211c80319c";
const client = {
  traceId,
  id: "b7ad6b7169203331",
  kind: "CLIENT",
  name: "get /reviews",
  timestamp: 1767225600000001,
  duration: 1200,
  localEndpoint: { serviceName: "productpage" },
  remoteEndpoint: { serviceName: "reviews", ipv4: "10.0.0.1", port: 9080 },
  annotations: [{ timestamp: 1767225600000500, value: "wire sent" }],
  tags: { "http.method": "GET", error: "timeout" },
};

it("reads a span of JSON", async () => {
  const { spans, rejected } = await zipkinSpans(json([client]), 0);
  expect(rejected).toBe(0);
  expect(spans).toMatchObject([
    {
      traceId,
      spanId: client.id,
      parentSpanId: "",
      service: "productpage",
      name: "get /reviews",
      kind: 3,
      startUs: 1767225600000001,
      durationUs: 1200,
      error: true,
      attributes: { "http.method": "GET", "peer.service": "reviews", "network.peer.address": "10.0.0.1" },
      events: [{ atUs: 1767225600000500, name: "wire sent" }],
    },
  ]);
});

it("reads the same of protobuf", async () => {
  const list = create(ListOfSpansSchema, {
    spans: [
      {
        traceId: Buffer.from(traceId, "hex"),
        id: Buffer.from(client.id, "hex"),
        kind: Span_Kind.CLIENT,
        name: client.name,
        timestamp: BigInt(client.timestamp),
        duration: BigInt(client.duration),
        localEndpoint: { serviceName: "productpage" },
        remoteEndpoint: { serviceName: "reviews", ipv4: Uint8Array.of(10, 0, 0, 1), port: 9080 },
        annotations: [{ timestamp: 1767225600000500n, value: "wire sent" }],
        tags: client.tags,
      },
    ],
  });
  const posted = {
    body: Buffer.from(toBinary(ListOfSpansSchema, list)),
    headers: { "content-type": "application/x-protobuf" },
    maxBytes: 1e6,
  };
  expect(await zipkinSpans(posted, 0)).toEqual(await zipkinSpans(json([client]), 0));
});

it("fills up short ids, and makes the server's half of a shared span a child of its client's", async () => {
  const short = { traceId: "abc", id: "1", name: "x", timestamp: 5 };
  const server = { ...client, kind: "SERVER", shared: true, localEndpoint: { serviceName: "reviews" } };
  const { spans } = await zipkinSpans(json([short, server]), 0);
  expect(spans[0]).toMatchObject({ traceId: "abc".padStart(32, "0"), spanId: "1".padStart(16, "0"), kind: 1 });
  expect(spans[1]?.parentSpanId).toBe(client.id);
  expect(spans[1]?.spanId).not.toBe(client.id);
});

it("leaves out what is no span, and refuses what is no list", async () => {
  const { spans, rejected } = await zipkinSpans(
    json([{}, { traceId: "zz", id: "1" }, { ...client, id: "0" }, client]),
    0,
  );
  expect([spans.length, rejected]).toEqual([1, 3]);
  await expect(zipkinSpans(json({}), 0)).rejects.toMatchObject({ status: 400 });
  const text = { body: Buffer.from("x"), headers: { "content-type": "text/plain" }, maxBytes: 9 };
  await expect(zipkinSpans(text, 0)).rejects.toMatchObject({ status: 415 });
});
