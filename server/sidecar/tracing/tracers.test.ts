import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { OpenTelemetryConfigSchema } from "../../gen/proto/envoy/config/trace/v3/opentelemetry_pb.js";
import { ZipkinConfigSchema } from "../../gen/proto/envoy/config/trace/v3/zipkin_pb.js";
import { HttpConnectionManager_TracingSchema } from "../../gen/proto/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager_pb.js";
import {
  type ExportTraceServiceRequest,
  TraceService,
} from "../../gen/proto/opentelemetry/proto/collector/trace/v1/trace_service_pb.js";
import { systemClock } from "../../lib/clock.ts";
import { addService } from "../../lib/grpc.ts";
import { sampleRecord } from "../access-log/testing/sample-record.ts";
import { GrpcChannels } from "../grpc/grpc-channels.ts";
import { Stats } from "../stats.ts";
import { staticCluster } from "../xds/testing/static-cluster.ts";
import { Tracers } from "./tracers.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function collector() {
  const server = new Server();
  const requests: ExportTraceServiceRequest[] = [];
  addService(server, TraceService, {
    export(call, callback) {
      requests.push(call.request);
      callback(null, { $typeName: "opentelemetry.proto.collector.trace.v1.ExportTraceServiceResponse" });
    },
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    );
  });
  cleanups.push(() => server.forceShutdown());
  const spans = () => requests.flatMap((r) => r.resourceSpans.flatMap((s) => s.scopeSpans.flatMap((c) => c.spans)));
  return { port, requests, spans };
}

type Tracing = Pick<
  MessageInitShape<typeof HttpConnectionManager_TracingSchema>,
  "randomSampling" | "overallSampling" | "clientSampling"
>;

function tracerOn(port: number, tracing: Tracing = {}, random = Math.random) {
  const stats = new Stats();
  const channels = new GrpcChannels();
  channels.add(staticCluster("limpid-collector", port));
  cleanups.push(() => channels.close());
  const node = create(NodeSchema, { id: "sidecar~127.0.1.2~a.default~default.svc.cluster.local" });
  const tracers = new Tracers({ node, channels, stats, clock: systemClock, random });
  const otel = create(OpenTelemetryConfigSchema, {
    serviceName: "productpage.default",
    grpcService: { targetSpecifier: { case: "envoyGrpc", value: { clusterName: "limpid-collector" } } },
  });
  const made = tracers.tracerFor(
    create(HttpConnectionManager_TracingSchema, {
      provider: {
        name: "envoy.tracers.opentelemetry",
        configType: { case: "typedConfig", value: anyPack(OpenTelemetryConfigSchema, otel) },
      },
      ...tracing,
    }),
  );
  if (!made.ok || made.value === undefined) throw new Error(JSON.stringify(made));
  return { tracer: made.value, tracers, stats };
}

const id32 = "4bf92f3577b34da6a3ce929d0e0e4736";
const id16 = "00f067aa0ba902b7";

describe("begin", () => {
  it.each([
    ["traceparent, sampled", ["traceparent", `00-${id32}-${id16}-01`], id32, id16, true],
    ["traceparent, not sampled", ["traceparent", `00-${id32}-${id16}-00`], id32, id16, false],
    ["b3 single", ["b3", `${id32}-${id16}-1`], id32, id16, true],
    ["b3 of 64 bits", ["b3", `${id16}-${id16}-0`], `${"0".repeat(16)}${id16}`, id16, false],
    ["b3 several", ["x-b3-traceid", id32, "x-b3-spanid", id16, "x-b3-sampled", "1"], id32, id16, true],
    ["b3 debug", ["x-b3-traceid", id32, "x-b3-spanid", id16, "x-b3-flags", "1"], id32, id16, true],
    ["traceparent before b3", ["b3", `${id16}-${id16}-0`, "traceparent", `00-${id32}-${id16}-01`], id32, id16, true],
  ])("goes on with %s", (_, headers, traceId, parentSpanId, sampled) => {
    const { tracer } = tracerOn(1, { randomSampling: { value: 0 } });
    const context = tracer.begin(headers, "outbound");
    expect(context).toMatchObject({ traceId, parentSpanId, sampled });
    expect(context.spanId).toMatch(/^[0-9a-f]{16}$/);
    expect(context.propagate).toEqual(["traceparent", `00-${traceId}-${context.spanId}-0${sampled ? 1 : 0}`]);
  });

  it.each([
    ["zeros", `00-${"0".repeat(32)}-${id16}-01`],
    ["version ff", `ff-${id32}-${id16}-01`],
    ["more fields than version 00 has", `00-${id32}-${id16}-01-x`],
    ["upper case", `00-${id32.toUpperCase()}-${id16}-01`],
  ])("begins anew after %s", (_, traceparent) => {
    const { tracer } = tracerOn(1);
    const context = tracer.begin(["traceparent", traceparent], "outbound");
    expect(context.traceId).not.toBe(id32);
    expect(context.parentSpanId).toBe("");
  });

  it("passes tracestate on", () => {
    const headers = ["traceparent", `00-${id32}-${id16}-01`, "tracestate", "a=1"];
    expect(tracerOn(1).tracer.begin(headers, "inbound").propagate.slice(2)).toEqual(["tracestate", "a=1"]);
  });

  it.each([
    ["random below the share", { randomSampling: { value: 10 } }, 0.09, [], true],
    ["random above the share", { randomSampling: { value: 10 } }, 0.11, [], false],
    ["overall caps it", { randomSampling: { value: 100 }, overallSampling: { value: 5 } }, 0.06, [], false],
    ["the client asks", { randomSampling: { value: 0 } }, 0.5, ["x-client-trace-id", "1"], true],
    ["defaults trace all", {}, 0.99, [], true],
  ])("samples: %s", (_, tracing, random, headers, sampled) => {
    expect(tracerOn(1, tracing, () => random).tracer.begin(headers, "outbound").sampled).toBe(sampled);
  });
});

describe("end", () => {
  it("exports the span under Envoy's names", async () => {
    const server = await collector();
    const { tracer, tracers, stats } = tracerOn(server.port);
    const context = tracer.begin(["traceparent", `00-${id32}-${id16}-01`], "outbound");
    tracer.end(context, sampleRecord());
    tracer.end(tracer.begin([], "inbound"), sampleRecord({ responseCode: 503, responseFlags: 2 }));
    tracer.end(tracer.begin(["b3", "0"], "inbound"), sampleRecord());
    tracer.end(tracer.begin([], "outbound"), sampleRecord({ operation: "reviews.default.svc.cluster.local:9080/*" }));
    await tracers.close();
    await vi.waitFor(() => expect(server.spans()).toHaveLength(3));
    const resource = server.requests[0]?.resourceSpans[0]?.resource?.attributes;
    expect(resource?.find(({ key }) => key === "service.name")?.value?.value.value).toBe("productpage.default");
    const [good, bad, decorated] = server.spans();
    const attributes = Object.fromEntries(good?.attributes.map(({ key, value }) => [key, value?.value.value]) ?? []);
    expect(good).toMatchObject({ name: "egress reviews:9080", kind: 3, startTimeUnixNano: 1_794_999_645_123_456_000n });
    expect(good?.endTimeUnixNano).toBe(1_794_999_645_135_801_000n);
    expect(Buffer.from(good?.parentSpanId ?? []).toString("hex")).toBe(id16);
    expect(good?.status).toBeUndefined();
    expect(attributes).toMatchObject({
      "http.url": "http://reviews:9080/reviews/0",
      "http.method": "GET",
      "http.status_code": "200",
      upstream_cluster: "outbound|9080|v2|reviews.default.svc.cluster.local",
      "guid:x-request-id": "b3b4d327-e089-46c6-add5-2c18abeba2b4",
      response_flags: "-",
      node_id: "sidecar~127.0.1.2~a.default~default.svc.cluster.local",
    });
    expect(bad).toMatchObject({ name: "ingress", kind: 2, status: { code: 2 } });
    expect(stats.counter("tracing.opentelemetry.spans_sent").value).toBe(3);
    expect(decorated?.name).toBe("reviews.default.svc.cluster.local:9080/*");
  });

  it("sheds, counted, when the collector is away", async () => {
    const { tracer, tracers, stats } = tracerOn(1);
    for (let i = 0; i < 6_000; i++) tracer.end(tracer.begin([], "outbound"), sampleRecord());
    await tracers.close();
    expect(stats.counter("tracing.opentelemetry.spans_dropped").value).toBeGreaterThan(1_000);
  });
});

it("refuses Zipkin by name", () => {
  const channels = new GrpcChannels();
  const tracers = new Tracers({ node: create(NodeSchema), channels, stats: new Stats(), clock: systemClock });
  const zipkin = anyPack(ZipkinConfigSchema, create(ZipkinConfigSchema));
  const provider = { name: "envoy.tracers.zipkin", configType: { case: "typedConfig" as const, value: zipkin } };
  expect(tracers.tracerFor(create(HttpConnectionManager_TracingSchema, { provider }))).toMatchObject({
    errors: [
      "tracing provider envoy.tracers.zipkin: type.googleapis.com/envoy.config.trace.v3.ZipkinConfig is not supported",
    ],
  });
});
