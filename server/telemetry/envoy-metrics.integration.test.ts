import { create } from "@bufbuild/protobuf";
import { Metadata, Server, ServerCredentials, type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import {
  MetricsService,
  StreamMetricsMessageSchema,
} from "../gen/proto/envoy/service/metrics/v3/metrics_service_pb.js";
import { MetricType } from "../gen/proto/io/prometheus/client/metrics_pb.js";
import { makeClient } from "../lib/grpc.ts";
import { envoyMissing, startEnvoy } from "../xds/testing/envoy.ts";
import { addEnvoyMetricsService } from "./envoy-metrics.ts";
import type { MetricPoint } from "./metric-record.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve() {
  const points: MetricPoint[] = [];
  const counters = { proxyMetrics: 0 };
  const server = new Server();
  const sink = { metrics: (some: readonly MetricPoint[]) => points.push(...some) };
  addEnvoyMetricsService(server, { sink, counters, now: () => 5_000, keeps: () => true });
  const port = await new Promise<number>((resolve, reject) =>
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) =>
      error ? reject(error) : resolve(bound),
    ),
  );
  closers.push(() => server.forceShutdown());
  return { points, counters, port };
}

test("counters, gauges and histograms of a gRPC client become points of its node", async () => {
  const { points, counters, port } = await serve();
  const client = makeClient(MetricsService, `127.0.0.1:${port}`);
  closers.push(() => client.close());
  const send = (id: string) =>
    new Promise<ServiceError | null>((resolve) => {
      const stream = client.streamMetrics(new Metadata(), {}, resolve);
      stream.write(
        create(StreamMetricsMessageSchema, {
          identifier: { node: { id, cluster: "reviews.default" } },
          envoyMetrics: [
            {
              name: "rq",
              type: MetricType.COUNTER,
              metric: [{ counter: { value: 7 }, timestampMs: 9n, label: [{ name: "c", value: "x" }] }],
            },
            { name: "cx", type: MetricType.GAUGE, metric: [{ gauge: { value: 3 } }] },
            {
              name: "ms",
              type: MetricType.HISTOGRAM,
              metric: [
                {
                  histogram: {
                    sampleCount: 10n,
                    sampleSum: 99,
                    bucket: [
                      { upperBound: 1, cumulativeCount: 2n },
                      { upperBound: 5, cumulativeCount: 6n },
                      { upperBound: Number.POSITIVE_INFINITY, cumulativeCount: 10n },
                    ],
                  },
                },
              ],
            },
          ],
        }),
      );
      stream.end();
    });
  expect(await send("n")).toBeNull();
  expect(points).toMatchObject([
    {
      series: { name: "envoy_rq", kind: "counter", service: "reviews.default", instance: "n", labels: { c: "x" } },
      value: 7,
      timeMs: 9,
      cumulative: true,
    },
    { series: { name: "envoy_cx", kind: "gauge" }, value: 3, timeMs: 5_000 },
    {
      series: { name: "envoy_ms", kind: "histogram" },
      histogram: { count: 10, sum: 99, bounds: [1, 5], counts: [2, 4, 4] },
    },
  ]);
  expect(counters.proxyMetrics).toBe(3);
  expect((await send(""))?.code).toBe(status.INVALID_ARGUMENT);
});

test.skipIf(envoyMissing)("Envoy's stats sink arrives", async () => {
  const { points, port } = await serve();
  const id = "sidecar~127.0.0.1~e.default~x";
  const envoy = await startEnvoy({ id, xdsPort: port, api: "GRPC", metricsSink: true });
  closers.push(() => envoy.stop());
  await vi.waitFor(() => {
    const [uptime] = points.filter(({ series }) => series.name === "envoy_server_uptime");
    expect(uptime?.series).toMatchObject({ kind: "gauge", instance: id, service: "test.default" });
    expect(points.some(({ series }) => series.kind === "counter")).toBe(true);
  }, 15_000);
});
