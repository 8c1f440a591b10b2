import { create } from "@bufbuild/protobuf";
import { anyPack } from "@bufbuild/protobuf/wkt";
import { describe, expect, it } from "vitest";
import { AccessLogSchema } from "../../gen/proto/envoy/config/accesslog/v3/accesslog_pb.js";
import { NodeSchema } from "../../gen/proto/envoy/config/core/v3/base_pb.js";
import { HttpGrpcAccessLogConfigSchema } from "../../gen/proto/envoy/extensions/access_loggers/grpc/v3/als_pb.js";
import { formatMetricChanges, type MetricChange } from "../../wire/metric-rules.ts";
import { ResponseFlag } from "../record.ts";
import { IstioMetrics } from "./istio-metrics.ts";
import { metricLabels } from "./metric-labels.ts";
import { sampleRecord } from "./testing/sample-record.ts";

const node = create(NodeSchema, {
  id: "sidecar~127.0.1.2~productpage-v1.default~default.svc.cluster.local",
  metadata: {
    NAMESPACE: "default",
    WORKLOAD_NAME: "productpage-v1",
    CLUSTER_ID: "limpid",
    LABELS: { app: "productpage", version: "v1" },
  },
});

const requests = (text: string) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("istio_requests_total"))
    .map((line) => ({
      ...Object.fromEntries([...line.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => [key, value])),
      value: Number(line.split(" ").at(-1)),
    }));

describe("IstioMetrics", () => {
  it("reports an outbound request as its source", () => {
    const metrics = new IstioMetrics(node);
    const logger = metrics.logger("outbound");
    logger.log(sampleRecord());
    logger.log(sampleRecord());
    logger.log(
      sampleRecord({
        responseCode: 503,
        responseFlags: ResponseFlag.noHealthyUpstream,
        upstreamHostMetadata: undefined,
      }),
    );
    expect(requests(metrics.render())).toMatchObject([
      {
        reporter: "source",
        source_workload: "productpage-v1",
        source_version: "v1",
        destination_workload: "reviews-v2",
        destination_canonical_revision: "v2",
        destination_service: "reviews.default.svc.cluster.local",
        destination_service_name: "reviews",
        destination_service_namespace: "default",
        response_code: "200",
        response_flags: "-",
        value: 2,
      },
      { response_code: "503", response_flags: "UH", destination_workload: "unknown", value: 1 },
    ]);
    expect(metrics.render()).toMatch(
      /istio_request_duration_milliseconds_bucket\{[^}]*response_code="200"[^}]*le="25"\} 2\n/,
    );
  });

  it("reports an inbound request as its destination, with the peer of the header", () => {
    const metrics = new IstioMetrics(node);
    metrics
      .logger("inbound")
      .log(sampleRecord({ requestHeaders: ["x-limpid-peer", "gateway;edge;gateway;latest;limpid"] }));
    expect(requests(metrics.render())).toMatchObject([
      {
        reporter: "destination",
        source_workload: "gateway",
        source_workload_namespace: "edge",
        destination_workload: "productpage-v1",
        destination_service: "productpage.default.svc.cluster.local",
        value: 1,
      },
    ]);
  });

  it("doesn't make labels of names that no route knows", () => {
    const metrics = new IstioMetrics(node);
    const lost = { upstreamCluster: "", routedCluster: "", upstreamHostMetadata: undefined };
    metrics.logger("outbound").log(sampleRecord({ ...lost, routeMetadata: undefined, authority: "made-up" }));
    metrics.logger("outbound").log(sampleRecord({ ...lost, authority: "reviews:9080", responseCode: 301 }));
    const aborted = { ...lost, routedCluster: "outbound|9080||ratings.default.svc.cluster.local", responseCode: 503 };
    metrics.logger("outbound").log(sampleRecord(aborted));
    const services = requests(metrics.render()).map(
      (series) => (series as { destination_service?: string }).destination_service,
    );
    expect(services).toEqual(["unknown", "reviews", "ratings.default.svc.cluster.local"]);
  });

  it("bounds its series", () => {
    const metrics = new IstioMetrics(node);
    const logger = metrics.logger("outbound");
    for (let i = 0; i < 3_000; i++) logger.log(sampleRecord({ upstreamCluster: `outbound|1||host-${i}.example` }));
    const all = requests(metrics.render());
    expect(all).toHaveLength(2_001);
    expect(all.at(-1)).toMatchObject({ reporter: "overflow", value: 1_000 });
  });

  const changing = (tags: MetricChange["tags"], more: Parameters<typeof formatMetricChanges>[0] = []) =>
    metricLabels([
      create(AccessLogSchema, {
        configType: {
          case: "typedConfig",
          value: anyPack(
            HttpGrpcAccessLogConfigSchema,
            create(HttpGrpcAccessLogConfigSchema, {
              commonConfig: {
                customTags: [
                  {
                    tag: "limpid.metrics",
                    type: {
                      case: "literal",
                      value: {
                        value: formatMetricChanges([{ metric: "REQUEST_COUNT", disabled: false, tags }, ...more]),
                      },
                    },
                  },
                ],
              },
            }),
          ),
        },
      }),
    ]);

  it("changes labels as Telemetry wants them, by request too", () => {
    const metrics = new IstioMetrics(node);
    const changes = changing(
      [
        ["response_code", null],
        ["verb", "request.method"],
        ["port", "string(destination.port)"],
        ["place", "'here'"],
        ["none", "node.metadata['x']"],
      ],
      [{ metric: "REQUEST_SIZE", disabled: true, tags: [] }],
    );
    const logger = metrics.logger("outbound", changes);
    for (const method of ["GET", "GET", "POST"])
      logger.log(sampleRecord({ method, responseCode: method === "GET" ? 200 : 201 }));
    logger.log(sampleRecord({ responseCode: 404 }));
    metrics.logger("inbound").log(sampleRecord());
    const all = requests(metrics.render());
    expect(all).toMatchObject([
      { reporter: "source", verb: "GET", port: "15001", place: "here", none: "unknown", value: 3 },
      { reporter: "source", verb: "POST", value: 1 },
      { reporter: "destination", response_code: "200", value: 1 },
    ]);
    expect(all[0]).not.toHaveProperty("response_code");
    expect(metrics.render().match(/^istio_request_bytes_count\{reporter="source"/gm)).toBeNull();
    // Of metrics that nothing was said of each has its code.
    expect(metrics.render().match(/^istio_response_bytes_count\{reporter="source".*response_code/gm)).toHaveLength(3);
    // What another process has counted is shown as it was counted.
    const main = new IstioMetrics(node);
    main.absorb(metrics.snapshot());
    main.absorb(metrics.snapshot());
    expect(requests(main.render()).map(({ value }) => value)).toEqual([6, 2, 2]);
  });
});
