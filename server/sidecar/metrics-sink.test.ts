import { create } from "@bufbuild/protobuf";
import { Client, credentials, Server, ServerCredentials } from "@grpc/grpc-js";
import { afterEach, expect, it, vi } from "vitest";
import { NodeSchema } from "../gen/proto/envoy/config/core/v3/base_pb.js";
import { MetricsService, type StreamMetricsMessage } from "../gen/proto/envoy/service/metrics/v3/metrics_service_pb.js";
import { systemClock } from "../lib/clock.ts";
import { addService } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { MetricsSink } from "./metrics-sink.ts";
import { Stats } from "./stats.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(port = 0) {
  const messages: StreamMetricsMessage[] = [];
  const server = new Server();
  addService(server, MetricsService, {
    streamMetrics(call, callback) {
      call.on("data", (message: StreamMetricsMessage) => messages.push(message));
      call.on("end", () => callback(null, { $typeName: "envoy.service.metrics.v3.StreamMetricsResponse" }));
      call.on("error", () => undefined);
    },
  });
  const bound = await new Promise<number>((resolve, reject) =>
    server.bindAsync(`127.0.0.1:${port}`, ServerCredentials.createInsecure(), (error, at) =>
      error ? reject(error) : resolve(at),
    ),
  );
  closers.push(() => server.forceShutdown());
  return { messages, port: bound, stop: () => server.forceShutdown() };
}

function sinkTo(port: number, stats: Stats, refresh = () => {}) {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    "grpc.initial_reconnect_backoff_ms": 20,
    "grpc.max_reconnect_backoff_ms": 50,
  });
  const sink = new MetricsSink({
    node: create(NodeSchema, { id: "sidecar~1", cluster: "reviews.default" }),
    channel: () => client,
    stats: () => stats,
    refresh,
    flushIntervalMs: 10,
    clock: systemClock,
    logger: silentLogger,
  });
  closers.push(async () => {
    await sink.close();
    client.close();
  });
  sink.start();
  return sink;
}

it("sends what was used, names itself once, and brings gauges up to date before", async () => {
  const { messages, port } = await serve();
  const stats = new Stats();
  stats.counter("http.a.downstream_rq_total").inc(3);
  stats.counter("http.a.never");
  stats.gauge("http.a.downstream_rq_active").set(2);
  stats.gauge("http.a.quiet");
  stats.histogram("server.dispatcher.poll_delay_us").record(7);
  sinkTo(port, stats, () => stats.gauge("server.uptime").set(9));
  await vi.waitFor(() => expect(messages.length).toBeGreaterThan(1), 10_000);
  const [first, second] = messages;
  expect(first?.identifier?.node?.id).toBe("sidecar~1");
  expect(second?.identifier).toBeUndefined();
  expect(first?.envoyMetrics.map(({ name }) => name)).toEqual([
    "http.a.downstream_rq_total",
    "http.a.downstream_rq_active",
    "server.uptime",
    "server.dispatcher.poll_delay_us",
  ]);
  expect(first?.envoyMetrics.at(-1)?.metric[0]?.histogram?.sampleCount).toBe(1n);
});

it("tells a gauge that went back to nought, and goes on with a collector that comes back", async () => {
  const { messages, port, stop } = await serve();
  const stats = new Stats();
  stats.gauge("server.live").set(1);
  sinkTo(port, stats);
  await vi.waitFor(() => expect(messages.length).toBeGreaterThan(0), 10_000);
  stop();
  stats.gauge("server.live").set(0);
  const again = await serve(port);
  await vi.waitFor(() => expect(again.messages.length).toBeGreaterThan(0), 10_000);
  expect(again.messages[0]?.identifier?.node?.id).toBe("sidecar~1");
  expect(again.messages[0]?.envoyMetrics[0]?.metric[0]?.gauge?.value).toBe(0);
});

it("what cannot be brought up to date fails that flush, and no other", async () => {
  const { messages, port } = await serve();
  const stats = new Stats();
  stats.counter("http.a.downstream_rq_total").inc(1);
  let asked = 0;
  sinkTo(port, stats, () => {
    if (++asked === 1) throw new Error("EMFILE: too many open files");
  });
  await vi.waitFor(() => expect(messages.length).toBeGreaterThan(0));
  expect(asked).toBeGreaterThan(1);
});
