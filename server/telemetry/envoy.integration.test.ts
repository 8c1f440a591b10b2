import { once } from "node:events";
import { createServer, request, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Graph } from "../contract/index.ts";
import { silentLogger } from "../lib/logger.ts";
import { createQueries } from "../query/queries.ts";
import type { TelemetryReader } from "../query/reader.ts";
import { openSqliteTelemetryReader } from "../store/telemetry/sqlite-reader.ts";
import { openSqliteTelemetryStore } from "../store/telemetry/sqlite-store.ts";
import { temporaryDatabase } from "../store/telemetry/testing/temporary-database.ts";
import { type Collector, createCollector } from "./collector.ts";
import { abortEvery, staticBootstrap } from "./testing/bootstrap.ts";
import { envoyMissing, type RunningEnvoy, startEnvoy, until } from "./testing/envoy.ts";

const host = (app: string, subset = "") => `outbound|9080|${subset}|${app}.default.svc.cluster.local`;
const config = "/apis/networking.istio.io/v1/namespaces/default/virtual-service/reviews";

/** Three real Envoys: productpage (outbound) and a gateway call reviews v1 (inbound); ratings is aborted or has no endpoints. */
describe.skipIf(envoyMissing !== undefined)(`real Envoy → collector → SQLite → graph ${envoyMissing ?? ""}`, () => {
  const cleanUps: (() => Promise<unknown>)[] = [];
  let collector: Collector;
  let reader: TelemetryReader;
  let page: RunningEnvoy;
  let gateway: RunningEnvoy;

  beforeAll(async () => {
    const database = await temporaryDatabase();
    cleanUps.push(database.remove);
    const store = await openSqliteTelemetryStore({ path: database.path });
    cleanUps.push(() => store.close());
    reader = await openSqliteTelemetryReader({ path: database.path });
    cleanUps.push(() => reader.close());
    collector = createCollector({ store, grpcPort: 0, httpPort: 0, logger: silentLogger });
    await collector.start();
    cleanUps.push(() => collector.stop());
    const { grpc } = collector.addresses();

    const application = await listen();
    cleanUps.push(async () => application.server.close());
    const reviews = await startEnvoy(
      staticBootstrap({
        workload: "reviews-v1",
        app: "reviews",
        version: "v1",
        kind: "sidecar",
        collector: grpc,
        listeners: [{ name: "in", logName: "limpid.inbound", routes: [route("/", "inbound|9080||")] }],
        clusters: [{ name: "inbound|9080||", endpoint: application.address }],
      }),
    );
    cleanUps.push(reviews.stop);
    page = await startEnvoy(
      staticBootstrap({
        workload: "productpage-v1",
        app: "productpage",
        version: "v1",
        kind: "sidecar",
        collector: grpc,
        listeners: [
          {
            name: "out",
            logName: "limpid.outbound",
            routes: [
              route("/reviews", host("reviews", "v1"), { metadata: { filter_metadata: { istio: { config } } } }),
              route("/aborted", host("ratings", "v1"), { typed_per_filter_config: abortEvery(503) }),
              route("/empty", host("ratings", "v2")),
              { match: { prefix: "/" }, direct_response: { status: 502 } },
            ],
          },
        ],
        clusters: [
          {
            name: host("reviews", "v1"),
            endpoint: await reviews.listener("in"),
            workload: "reviews-v1;default;reviews;v1;limpid",
          },
          { name: host("ratings", "v1") },
          { name: host("ratings", "v2") },
        ],
      }),
    );
    cleanUps.push(page.stop);
    gateway = await startEnvoy(
      staticBootstrap({
        workload: "istio-ingressgateway",
        app: "istio-ingressgateway",
        version: "latest",
        kind: "router",
        collector: grpc,
        listeners: [{ name: "gw", logName: "limpid.gateway", routes: [route("/reviews", host("reviews"))] }],
        clusters: [
          {
            name: host("reviews"),
            endpoint: await reviews.listener("in"),
            workload: "reviews-v1;default;reviews;v1;limpid",
          },
        ],
      }),
    );
    cleanUps.push(gateway.stop);
  });

  afterAll(async () => {
    for (const cleanUp of cleanUps.toReversed()) await cleanUp();
  });

  it("shows the calls of both reporters, faults and dead ends with the right counts", async () => {
    const out = await page.listener("out");
    const calls: Record<string, number> = { "/reviews/0": 20, "/aborted": 6, "/empty": 4, "/nowhere": 2 };
    for (const [path, times] of Object.entries(calls)) {
      for (let i = 0; i < times; i++) await call(out, path);
    }
    const entry = await gateway.listener("gw");
    for (let i = 0; i < 5; i++) await call(entry, "/reviews/0");
    await call(entry, "/no-route");
    const queries = createQueries({ reader });
    const counted = (graph: Graph) =>
      graph.edges.reduce(
        (sum, { reported }) => sum + (reported.source?.requestRate ?? 0) + (reported.destination?.requestRate ?? 0),
        0,
      ) * graph.windowSec;
    let graph = await queries.graph({ window: 60 });
    await until(async () => {
      graph = await queries.graph({ window: 60 });
      return Math.round(counted(graph)) >= 32 + 20 + 3 * 5 + 1;
    });
    const edges = Object.fromEntries(
      graph.edges.map((edge) => [
        `${edge.source} → ${edge.target}`,
        {
          requests: Math.round(edge.signals.requestRate * graph.windowSec),
          destination: edge.reported.destination && Math.round(edge.reported.destination.requestRate * graph.windowSec),
          codes: Object.keys(edge.codes).join(),
          flags: Object.keys(edge.flags).join(),
        },
      ]),
    );
    const from = "default/productpage/v1 →";
    const gatewayNode = "default/istio-ingressgateway/latest";
    expect(edges).toEqual({
      [`${from} default/reviews/v1`]: { requests: 20, destination: 20, codes: "200", flags: "" },
      [`${from} default/ratings/v1`]: { requests: 6, destination: null, codes: "503", flags: "FI" },
      [`${from} default/ratings/v2`]: { requests: 4, destination: null, codes: "503", flags: "UH" },
      [`${from} unknown/BlackHoleCluster/unknown`]: { requests: 2, destination: null, codes: "502", flags: "" },
      [`unknown/unknown/unknown → ${gatewayNode}`]: { requests: 6, destination: 6, codes: "200,404", flags: "NR" },
      [`${gatewayNode} → default/reviews/v1`]: { requests: 5, destination: 5, codes: "200", flags: "" },
    });
    const kinds = Object.fromEntries(graph.nodes.map((node) => [node.id, node.kind]));
    expect(kinds).toMatchObject({ [gatewayNode]: "gateway", "unknown/unknown/unknown": "source" });
    const reviews = graph.edges.find((edge) => edge.id.startsWith("default/productpage/v1>default/reviews/v1"));
    expect(reviews).toMatchObject({ service: "reviews.default.svc.cluster.local", health: "healthy" });
    expect(reviews?.reported.source?.latencyMsP50).toBeGreaterThan(0);
    expect(await queries.freshAt()).toBeGreaterThan(Date.now() - 30_000);
  });

  it("keeps samples with their words, and the spans of both proxies as one trace", async () => {
    const queries = createQueries({ reader });
    const errors = await queries.logs({ service: "ratings.default.svc.cluster.local", errorsOnly: true, limit: 50 });
    expect(errors).toHaveLength(10);
    expect(new Set(errors.map((log) => log.details))).toEqual(new Set(["fault_filter_abort", "no_healthy_upstream"]));
    const [log] = await queries.logs({
      service: "reviews.default.svc.cluster.local",
      limit: 1,
      source: { namespace: "default", app: "productpage" },
    });
    expect(log).toMatchObject({ method: "GET", path: "/reviews/0", code: 200 });
    const sides = await queries.logs({ service: "reviews.default.svc.cluster.local", limit: 50 });
    expect(sides.filter((each) => each.edge.reporter === "source").map((each) => each.config)).toContain(config);
    // The sample leads to its trace: both proxies' spans of this very request.
    const traceId = log?.traceId ?? "";
    const services = async () => (await queries.trace(traceId)).map((span) => span.service);
    await until(async () => new Set(await services()).size === 2);
    expect(new Set(await services())).toEqual(new Set(["productpage.default", "reviews.default"]));
    expect((await queries.traces({ limit: 100 })).find((trace) => trace.traceId === traceId)?.services).toHaveLength(2);
    const spans = await queries.trace(traceId);
    expect(spans.map((span) => span.attributes.upstream_cluster)).toContain(host("reviews", "v1"));
  });
});

const route = (prefix: string, cluster: string, more: object = {}) => ({
  match: { prefix },
  route: { cluster },
  ...more,
});

async function listen(): Promise<{ server: Server; address: string }> {
  const server = createServer((_, response) => response.end("{}"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { server, address: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function call(address: string, path: string): Promise<number> {
  const [hostname, port] = address.split(":");
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, headers: { host: "reviews:9080" } }, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode ?? 0));
    });
    sent.on("error", reject);
    sent.end();
  });
}
