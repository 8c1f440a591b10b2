import { describe, expect, it } from "vitest";
import { statName } from "../wire/envoy-stat-names.ts";
import { formatLabels, renderPrometheus } from "./prometheus.ts";
import { Stats } from "./stats.ts";

describe("names and labels of stats", () => {
  it.each([
    [
      "cluster.outbound|9080||a.default.svc.cluster.local.upstream_rq_total",
      'envoy_cluster_upstream_rq_total{envoy_cluster_name="outbound|9080||a.default.svc.cluster.local"}',
    ],
    [
      "cluster.xds-grpc.upstream_rq_2xx",
      'envoy_cluster_upstream_rq_xx{envoy_response_code_class="2",envoy_cluster_name="xds-grpc"}',
    ],
    [
      "cluster.a.external.upstream_rq_503",
      'envoy_cluster_external_upstream_rq{envoy_response_code="503",envoy_cluster_name="a"}',
    ],
    [
      "cluster.inbound|9080||.circuit_breakers.default.rq_open",
      'envoy_cluster_circuit_breakers_default_rq_open{envoy_cluster_name="inbound|9080||"}',
    ],
    [
      "http.outbound_127.0.1.2_15001.downstream_rq_5xx",
      'envoy_http_downstream_rq_xx{envoy_response_code_class="5",envoy_http_conn_manager_prefix="outbound_127.0.1.2_15001"}',
    ],
    [
      "vhost.http_proxy/reviews.default.svc.cluster.local:9080.route.a.b.upstream_rq_2xx",
      'envoy_vhost_route_upstream_rq_xx{envoy_response_code_class="2",envoy_virtual_host="http_proxy/reviews.default.svc.cluster.local:9080",envoy_route="a.b"}',
    ],
    ["http.admin.downstream_rq_total", 'envoy_http_downstream_rq_total{envoy_http_conn_manager_prefix="admin"}'],
    [
      "listener.127.0.1.2_15001.downstream_cx_total",
      'envoy_listener_downstream_cx_total{envoy_listener_address="127.0.1.2_15001"}',
    ],
    [
      "listener.127.0.0.1_80.http.in_127.0.0.1_80.downstream_rq_2xx",
      'envoy_listener_http_downstream_rq_xx{envoy_response_code_class="2",envoy_http_conn_manager_prefix="in_127.0.0.1_80",envoy_listener_address="127.0.0.1_80"}',
    ],
    ["listener_manager.listener_added", "envoy_listener_manager_listener_added{}"],
    ["server.live", "envoy_server_live{}"],
  ])("%s", (stat, expected) => {
    const { name, labels: pairs } = statName(stat);
    const labels = formatLabels(pairs);
    expect(`${name}{${labels}}`).toBe(expected);
  });
});

describe("renderPrometheus", () => {
  it("gathers a family under one TYPE and accumulates buckets", () => {
    const stats = new Stats();
    stats.counter("cluster.a.upstream_rq_total").inc(3);
    stats.counter("server.unused");
    stats.counter("cluster.b.upstream_rq_total").inc(1);
    for (const ms of [0.4, 7, 7]) stats.histogram("cluster.a.upstream_rq_time").record(ms);
    const text = renderPrometheus(stats, { usedOnly: true });
    expect(
      text.startsWith(
        "# TYPE envoy_cluster_upstream_rq_total counter\n" +
          'envoy_cluster_upstream_rq_total{envoy_cluster_name="a"} 3\n' +
          'envoy_cluster_upstream_rq_total{envoy_cluster_name="b"} 1\n' +
          "# TYPE envoy_cluster_upstream_rq_time histogram\n" +
          'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a",le="0.5"} 1\n',
      ),
    ).toBe(true);
    expect(text).toContain('envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="a",le="10"} 3\n');
    expect(text).toContain('_bucket{envoy_cluster_name="a",le="+Inf"} 3\n');
    expect(text).toContain('envoy_cluster_upstream_rq_time_sum{envoy_cluster_name="a"} 14.4\n');
    expect(text).not.toContain("unused");
  });

  it("escapes label values", () => {
    const stats = new Stats();
    stats.counter('cluster.a"\\b.upstream_rq_total').inc();
    expect(renderPrometheus(stats)).toContain('{envoy_cluster_name="a\\"\\\\b"} 1');
  });
});
