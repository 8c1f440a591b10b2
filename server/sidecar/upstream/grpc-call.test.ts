import { createServer, type Http2Stream, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { create, toBinary } from "@bufbuild/protobuf";
import { afterEach, describe, expect, it } from "vitest";
import { GrpcServiceSchema } from "../../gen/proto/envoy/config/core/v3/grpc_service_pb.js";
import {
  Authorization,
  CheckRequestSchema,
  type CheckResponse,
  CheckResponseSchema,
} from "../../gen/proto/envoy/service/auth/v3/external_auth_pb.js";
import { eventually, Fixtures, staticCluster } from "../test-plane.ts";
import { GrpcFailure, grpcCall } from "./grpc-call.ts";
import { compileGrpcService } from "./grpc-service.ts";

const fixtures = new Fixtures();
afterEach(() => fixtures.close());

const http2 = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

async function asking(handler: (stream: ServerHttp2Stream, headers: Record<string, unknown>, body: Buffer) => void) {
  const server = createServer();
  const streams = new Set<Http2Stream>();
  server.on("stream", (stream, headers) => {
    streams.add(stream);
    stream.on("error", () => {});
    const parts: Buffer[] = [];
    stream.on("data", (data: Buffer) => void parts.push(data));
    stream.on("end", () => handler(stream, headers, Buffer.concat(parts)));
  });
  await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
  fixtures.onClose(() => {
    for (const stream of streams) stream.session?.destroy();
    server.close();
  });
  const test = await fixtures.plane({
    clusters: [staticCluster("authz", [(server.address() as AddressInfo).port], http2)],
  });
  const answers: (CheckResponse | GrpcFailure)[] = [];
  const ask = (timeoutMs = 5_000) => {
    const service = create(GrpcServiceSchema, {
      targetSpecifier: { case: "envoyGrpc", value: { clusterName: "authz", authority: "a.test" } },
      initialMetadata: [{ key: "X-Own", value: "1" }],
    });
    const target = { ...compileGrpcService(service, timeoutMs), timeoutMs };
    const request = create(CheckRequestSchema, { attributes: { contextExtensions: { a: "b" } } });
    return grpcCall(
      test.plane.clusterMap,
      target,
      Authorization.method.check,
      request,
      (answer) => void answers.push(answer),
    );
  };
  return { test, ask, answers };
}

const framed = (message: Uint8Array): Buffer => Buffer.concat([Buffer.from([0, 0, 0, 0, message.length]), message]);
const ok = { ":status": 200, "content-type": "application/grpc" };

function answer(stream: ServerHttp2Stream, body: Buffer, trailers: Record<string, string>): void {
  stream.respond(ok, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers(trailers));
  stream.end(body);
}

describe("a question over gRPC", () => {
  it("is asked as the protocol says, and answered with a message", async () => {
    const seen: unknown[] = [];
    const { ask, answers } = await asking((stream, headers, body) => {
      seen.push(
        [":path", ":authority", "te", "content-type", "grpc-timeout", "x-own"].map((name) => headers[name]),
        body.length,
      );
      answer(stream, framed(toBinary(CheckResponseSchema, create(CheckResponseSchema, { status: { code: 7 } }))), {
        "grpc-status": "0",
      });
    });
    ask();
    await eventually(() => answers.length === 1);
    expect(answers[0]).toMatchObject({ status: { code: 7 } });
    expect(seen[0]).toEqual([
      "/envoy.service.auth.v3.Authorization/Check",
      "a.test",
      "trailers",
      "application/grpc",
      "5000m",
      "1",
    ]);
  });

  it.each<[string, (stream: ServerHttp2Stream) => void, number]>([
    ["a status", (stream) => answer(stream, Buffer.alloc(0), { "grpc-status": "7" }), 7],
    [
      "a status that is all there is",
      (stream) => stream.respond({ ...ok, "grpc-status": "5" }, { endStream: true }),
      5,
    ],
    ["no status", (stream) => answer(stream, framed(new Uint8Array()), {}), 2],
    ["what is not HTTP's 200", (stream) => stream.respond({ ":status": 503 }, { endStream: true }), 2],
    ["no message", (stream) => answer(stream, Buffer.alloc(0), { "grpc-status": "0" }), 13],
    [
      "a message that is compressed",
      (stream) => answer(stream, Buffer.from([1, 0, 0, 0, 0]), { "grpc-status": "0" }),
      13,
    ],
    ["a message that is cut", (stream) => answer(stream, Buffer.from([0, 0, 0, 0, 9, 1]), { "grpc-status": "0" }), 13],
    ["a message that is none", (stream) => answer(stream, framed(new Uint8Array([0xff])), { "grpc-status": "0" }), 13],
    ["a reset", (stream) => stream.close(8), 14],
  ])("fails with %s", async (_, handler, status) => {
    const { ask, answers } = await asking(handler);
    ask();
    await eventually(() => answers.length === 1);
    expect(answers[0]).toBeInstanceOf(GrpcFailure);
    expect(answers[0]).toMatchObject({ status });
  });

  it("fails when nobody answers in time, and hears nothing after it was taken back", async () => {
    const { test, ask, answers } = await asking(() => {});
    ask(30);
    await eventually(() => answers.length === 1);
    expect(answers[0]).toMatchObject({ status: 4, message: "timeout" });
    ask()();
    expect(answers.length).toBe(1);
    await eventually(() => test.gauge("cluster.authz.upstream_rq_active") === 0);
  });
});
