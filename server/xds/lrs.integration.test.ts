import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type ServiceError, status } from "@grpc/grpc-js";
import { afterEach, expect, test, vi } from "vitest";
import {
  LoadReportingService,
  LoadStatsRequestSchema,
  type LoadStatsResponse,
} from "../gen/proto/envoy/service/load_stats/v3/lrs_pb.js";
import { systemClock } from "../lib/clock.ts";
import { makeClient } from "../lib/grpc.ts";
import { silentLogger } from "../lib/logger.ts";
import { createXdsServer } from "./ads-server.ts";
import { createSnapshot } from "./snapshot.ts";
import { envoyMissing, freePort, startEnvoy } from "./testing/envoy.ts";
import { testMessages } from "./testing/messages.ts";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function serve(listenerPort = 1, upstreamPort = 2, loadReportMs = 200) {
  const messages = testMessages({ listenerPort, upstreamPort, services: 1, vhds: true });
  const server = createXdsServer({
    port: 0,
    clock: systemClock,
    logger: silentLogger,
    limits: { loadReportMs },
    events: {
      connected: (session) => session.publish(createSnapshot(1, messages)),
      disconnected: () => undefined,
    },
  });
  const port = await server.start();
  closers.push(() => server.stop(200));
  return { server, port };
}

const bundled = [process.execPath, join(import.meta.dirname, "../cli/main.ts"), "sidecar"];

test.for([
  { name: "Envoy", command: undefined },
  { name: "the bundled sidecar", command: bundled },
])("$name tells what it sends, and what of it failed", async ({ command }, { skip }) => {
  skip(command === undefined && envoyMissing);
  const application = createServer((_, response) => response.writeHead(503).end());
  await new Promise<void>((done) => application.listen(0, "127.0.0.1", done));
  closers.push(() => application.close());
  const listenerPort = await freePort();
  const { server, port } = await serve(listenerPort, (application.address() as AddressInfo).port, 300);
  const id = "sidecar~127.0.0.1~e.default~x";
  const envoy = await startEnvoy({
    id,
    xdsPort: port,
    api: "DELTA_GRPC",
    loadStats: true,
    ...(command && { command }),
  });
  closers.push(() => envoy.stop());
  const ask = () =>
    new Promise<number>((resolve) => {
      const sent = request(
        { port: listenerPort, host: "127.0.0.1", headers: { host: "s0" }, agent: false },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode ?? 0);
        },
      );
      sent.on("error", () => resolve(0));
      sent.end();
    });
  await vi.waitFor(async () => expect(await ask()).toBe(503), 15_000);
  await vi.waitFor(async () => {
    await ask();
    const load = server
      .loads()
      .get(id)
      ?.find(({ cluster }) => cluster === "s0");
    expect(load?.requestsPerSec).toBeGreaterThan(0);
    expect(load?.errorsPerSec).toBe(load?.requestsPerSec);
    expect(load?.inProgress).toBe(0);
  }, 10_000);
  await envoy.stop();
  await vi.waitFor(() => expect(server.loads().size).toBe(0), 5_000);
});

test("a gRPC client is asked for all clusters; its loads go with its last stream", async () => {
  const { server, port } = await serve();
  const client = makeClient(LoadReportingService, `127.0.0.1:${port}`);
  closers.push(() => client.close());
  const open = () => {
    const stream = client.streamLoadStats();
    const [answers, errors]: [LoadStatsResponse[], ServiceError[]] = [[], []];
    stream.on("data", (answer) => answers.push(answer));
    stream.on("error", (error: ServiceError) => errors.push(error));
    closers.push(() => stream.cancel());
    return { stream, answers, errors };
  };
  const [first, second, nameless] = [open(), open(), open()];
  const report = (requests: number) =>
    create(LoadStatsRequestSchema, {
      node: { id: "n" },
      clusterStats: [
        {
          clusterName: "c",
          loadReportInterval: { seconds: 2n },
          totalDroppedRequests: 4n,
          upstreamLocalityStats: [
            {
              locality: { region: "eu", zone: "eu-1" },
              totalIssuedRequests: BigInt(requests),
              totalErrorRequests: 5n,
              totalRequestsInProgress: 3n,
            },
          ],
        },
      ],
    });
  first.stream.write(report(20));
  await vi.waitFor(() => expect(first.answers).toMatchObject([{ sendAllClusters: true }]));
  expect(first.answers[0]?.loadReportingInterval?.nanos).toBe(200_000_000);
  expect(server.loads().get("n")).toMatchObject([
    { cluster: "c", locality: "eu/eu-1", requestsPerSec: 10, errorsPerSec: 2.5, droppedPerSec: 2, inProgress: 3 },
  ]);
  second.stream.write(report(40));
  await vi.waitFor(() => expect(server.loads().get("n")).toMatchObject([{ requestsPerSec: 20 }]));
  first.stream.end();
  nameless.stream.write(create(LoadStatsRequestSchema, {}));
  await vi.waitFor(() => expect(nameless.errors[0]?.code).toBe(status.INVALID_ARGUMENT));
  second.stream.write(report(60));
  await vi.waitFor(() => expect(server.loads().get("n")).toMatchObject([{ requestsPerSec: 30 }]));
  second.stream.end();
  await vi.waitFor(() => expect(server.loads().size).toBe(0));
});
