import { expect, it } from "vitest";
import { edge, rollup } from "../store/telemetry/testing/records.ts";
import { formatMetricChanges, parseMetricChanges } from "../wire/metric-rules.ts";
import { flagBitsOf } from "../wire/response-flags.ts";
import { IstioMetrics } from "./istio-metrics.ts";

const reviews = edge("productpage", "reviews/v2");

function samplesOf(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(" ")), Number(line.slice(line.lastIndexOf(" ") + 1))]),
  );
}

const find = (samples: Map<string, number>, name: string, ...labels: string[]) =>
  [...samples].filter(([key]) => key.startsWith(`${name}{`) && labels.every((label) => key.includes(label)));

it("counts requests of both reporters with Istio's labels", () => {
  const metrics = new IstioMetrics();
  const told = { ...reviews, reporter: "destination" as const, mtls: true };
  metrics.add([rollup(reviews, 1, { latencies: [3, 40, 40] }), rollup(reviews, 2), rollup(told, 1)]);
  metrics.add([rollup(reviews, 3, { code: 503, flags: flagBitsOf(["UF", "URX"]) })]);
  const samples = samplesOf(metrics.render());
  const requests = (...labels: string[]) => find(samples, "istio_requests_total", ...labels).map(([, value]) => value);
  expect(requests('reporter="source"', 'response_code="200"', 'connection_security_policy="unknown"')).toEqual([4]);
  expect(requests('reporter="destination"', 'connection_security_policy="mutual_tls"')).toEqual([1]);
  expect(requests('response_code="503"', 'response_flags="UF,URX"', 'grpc_response_status=""')).toEqual([1]);
  const [labels] = find(samples, "istio_requests_total", 'reporter="source"', 'response_code="200"')[0] ?? [];
  for (const label of [
    'source_workload="productpage-v1"',
    'source_canonical_service="productpage"',
    'destination_service="reviews.default.svc.cluster.local"',
    'destination_service_name="reviews"',
    'destination_service_namespace="default"',
    'destination_version="v2"',
    'request_protocol="http"',
  ]) {
    expect(labels).toContain(label);
  }
});

it("names whom certificates told of, each apart", () => {
  const metrics = new IstioMetrics();
  const [a, b] = ["spiffe://cluster.local/ns/default/sa/a", "spiffe://cluster.local/ns/default/sa/b"];
  const told = { ...reviews, reporter: "destination" as const, mtls: true, principals: { source: a, destination: b } };
  const reached = { ...reviews, principals: { source: "", destination: b } };
  metrics.add([rollup(told, 1), rollup(reached, 1), rollup(reviews, 1), rollup(reached, 2)]);
  const samples = samplesOf(metrics.render());
  const count = (...labels: string[]) => find(samples, "istio_requests_total", ...labels).map(([, value]) => value);
  expect(count(`source_principal="${a}"`, `destination_principal="${b}"`)).toEqual([1]);
  expect(count('reporter="source"', 'source_principal="unknown"', `destination_principal="${b}"`)).toEqual([2]);
  expect(count('reporter="source"', 'destination_principal="unknown"')).toEqual([1]);
});

it("has durations and sizes as histograms that a quantile can be taken of", () => {
  const metrics = new IstioMetrics();
  metrics.add([rollup(reviews, 1, { latencies: [3, 40, 40, 700] })]);
  const samples = samplesOf(metrics.render());
  const buckets = find(samples, "istio_request_duration_milliseconds_bucket");
  const upTo = (le: string) => buckets.find(([key]) => key.includes(`le="${le}"`))?.[1];
  expect([upTo("1"), upTo("5"), upTo("50"), upTo("500"), upTo("1000"), upTo("+Inf")]).toEqual([0, 1, 3, 3, 4, 4]);
  const [, sum = 0] = find(samples, "istio_request_duration_milliseconds_sum")[0] ?? [];
  expect(Math.abs(sum / 783 - 1)).toBeLessThan(0.01);
  expect(find(samples, "istio_response_bytes_sum")[0]?.[1]).toBe(4000);
  expect(find(samples, "istio_response_bytes_bucket", 'le="1000"')[0]?.[1]).toBe(4);
});

it("counts gRPC's statuses and TCP's bytes, and not what a gateway's client did", () => {
  const metrics = new IstioMetrics();
  const gateway = { ...reviews, gateway: true, reporter: "destination" as const };
  metrics.add([
    rollup({ ...reviews, protocol: "grpc" }, 1, { grpcStatus: 14 }),
    rollup({ ...reviews, protocol: "tcp" }, 1, { code: 0 }),
    rollup(gateway, 1),
  ]);
  const samples = samplesOf(metrics.render());
  expect(find(samples, "istio_requests_total")).toHaveLength(1);
  expect(find(samples, "istio_requests_total", 'grpc_response_status="14"', 'request_protocol="grpc"')).toHaveLength(1);
  expect(find(samples, "istio_tcp_sent_bytes_total").map(([, value]) => value)).toEqual([1000]);
  expect(find(samples, "istio_tcp_received_bytes_total").map(([, value]) => value)).toEqual([100]);
  expect(find(samples, "istio_tcp_connections_opened_total")[0]?.[0]).not.toContain("response_code");
});

it("changes labels as Telemetry wants them, and leaves the rest as it was", () => {
  const metrics = new IstioMetrics();
  const changes = parseMetricChanges(
    formatMetricChanges([
      {
        metric: "REQUEST_COUNT",
        disabled: false,
        tags: [
          ["response_code", null],
          ["place", "'he\"re'"],
          ["host", "request.host"],
        ],
      },
      { metric: "REQUEST_SIZE", disabled: true, tags: [] },
      { metric: "REQUEST_DURATION", disabled: false, tags: [["response_code", null]] },
    ]),
  );
  const ruled = { ...reviews, ...(changes && { metrics: changes }) };
  const other = { ...reviews, reporter: "destination" as const };
  metrics.add([rollup(ruled, 1, { code: 200 }), rollup(ruled, 1, { code: 503 }), rollup(other, 1)]);
  const samples = samplesOf(metrics.render());
  // Two codes are one series where nobody may see the code; a label that goes by the request is not there.
  expect(
    find(samples, "istio_requests_total", 'reporter="source"', 'place="he\\"re"').map(([, value]) => value),
  ).toEqual([2]);
  expect(find(samples, "istio_requests_total", 'reporter="source"', "response_code")).toEqual([]);
  expect(find(samples, "istio_requests_total", "host=")).toEqual([]);
  expect(
    find(samples, "istio_request_duration_milliseconds_count", 'reporter="source"').map(([, value]) => value),
  ).toEqual([2]);
  expect(find(samples, "istio_request_bytes_count").map(([key]) => key.includes('reporter="source"'))).toEqual([false]);
  expect(find(samples, "istio_response_bytes_count", 'reporter="source"')).toHaveLength(2);
  expect(find(samples, "istio_requests_total", 'reporter="destination"', 'response_code="200"')).toHaveLength(1);
  // Nothing is changed any more: what was counted has its labels back.
  metrics.add([rollup(reviews, 1, { code: 200 }), rollup(reviews, 1, { code: 503 })]);
  expect(find(samplesOf(metrics.render()), "istio_requests_total", 'reporter="source"', "response_code")).toHaveLength(
    2,
  );
});
