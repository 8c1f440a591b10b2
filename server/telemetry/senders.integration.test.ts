import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, describe, expect, it } from "vitest";
import { silentLogger } from "../lib/logger.ts";
import type { TelemetryReader } from "../query/reader.ts";
import { openSqliteTelemetryReader } from "../store/telemetry/sqlite-reader.ts";
import { openSqliteTelemetryStore } from "../store/telemetry/sqlite-store.ts";
import { type Collector, createCollector } from "./collector.ts";
import { envoyMissing, startEnvoy } from "./testing/envoy.ts";
import { findOpenTelemetryPython } from "./testing/opentelemetry-python.ts";
import { spanDialects, tracingBootstrap } from "./testing/tracing-envoy.ts";

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).toReversed()) await cleanUp();
});

const testing = resolve(import.meta.dirname, "testing");
const python = findOpenTelemetryPython();
const withPython =
  python !== undefined || process.env.CI ? undefined : "no OpenTelemetry SDK for Python: `npm test` installs it";

/** A collector on a store of its own that can end and come back, on the same ports and the same file. */
async function restartable() {
  const folder = await mkdtemp(join(tmpdir(), "limpid-senders-"));
  const path = join(folder, "telemetry.db");
  let ports = { grpcPort: 0, httpPort: 0 };
  let running: Collector | undefined;
  let close = async () => {};
  const start = async () => {
    const store = await openSqliteTelemetryStore({ path });
    running = createCollector({ store, ...ports, logger: silentLogger });
    await running.start();
    const [grpc, http] = [running.addresses().grpc, running.addresses().http].map((address) =>
      Number(address.split(":")[1]),
    );
    ports = { grpcPort: grpc ?? 0, httpPort: http ?? 0 };
    close = async () => {
      await running?.stop();
      await store.close();
    };
  };
  await start();
  const reader = await openSqliteTelemetryReader({ path });
  cleanUps.push(async () => {
    await close();
    await reader.close();
    await rm(folder, { recursive: true, force: true });
  });
  return {
    reader,
    ports,
    address: (port: number) => `127.0.0.1:${port}`,
    stop: () => close(),
    start,
  };
}

interface Sender {
  /** So many orders; resolves when the SDK says that it has handed them over. */
  send(orders: number): Promise<string>;
  end(): Promise<void>;
}

function sender(command: string, script: string, env: Record<string, string>): Sender {
  const child: ChildProcess = spawn(command, [join(testing, script)], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "inherit"],
  });
  cleanUps.push(() => child.kill("SIGKILL"));
  const { stdin, stdout } = child;
  if (stdin === null || stdout === null) throw new Error("no pipes");
  const lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
  const exited = once(child, "exit");
  return {
    async send(orders) {
      stdin.write(`${orders}\n`);
      return (await lines.next()).value ?? "ended";
    },
    async end() {
      stdin.end();
      await exited;
    },
  };
}

const day = 86_400_000;
const range = () => ({ fromMs: Date.now() - day, toMs: Date.now() + day });

/** What is stored of a service, counted. */
async function counted(reader: TelemetryReader, service: string) {
  const traces = await reader.traces({ ...range(), service, limit: 1000 });
  const lines = await reader.applicationLogs({ ...range(), service, limit: 1000 });
  const series = await reader.metricSeries({ service, limit: 100 });
  const sums = await reader.metrics({ series: series.map(({ id }) => id), stepSec: 10, ...tenSeconds() });
  const of = (name: string) => {
    const ids = series.filter((each) => each.name === name).map(({ id }) => id);
    return sums.filter((row) => ids.includes(row.series));
  };
  const total = (numbers: number[]) => numbers.reduce((sum, each) => sum + each, 0);
  return {
    traces: traces.length,
    spans: total(traces.map(({ spans }) => spans)),
    errors: total(traces.map(({ errors }) => errors)),
    lines: lines.length,
    joined: lines.filter(({ traceId }) => traces.some((trace) => trace.traceId === traceId)).length,
    orders: total(of("orders").map(({ sum }) => sum)),
    recorded: total(of("order.duration").map(({ count }) => count)),
  };
}

const tenSeconds = () => ({
  fromMs: Math.floor((Date.now() - day) / 10_000) * 10_000,
  toMs: Math.ceil((Date.now() + day) / 10_000) * 10_000,
});

const patient = { timeout: 30_000, interval: 200 };

interface Way {
  protocol: string;
  compression?: "gzip";
  /** How counters are told; what a cumulative one grew by while nobody took it in is not known to a collector that was not there. */
  temporality: "delta" | "cumulative";
}

const ways = (...protocols: string[]): Way[] =>
  protocols.flatMap((protocol) => [
    { protocol, temporality: "cumulative" },
    { protocol, compression: "gzip", temporality: "delta" },
  ]);

/** 150 orders; where counters are deltas the collector is restarted within. */
const all = { traces: 150, spans: 300, errors: 15, lines: 150, joined: 150, orders: 150, recorded: 150 };

async function sendsAll(command: string, script: string, { protocol, compression, temporality }: Way): Promise<void> {
  const { reader, ports, stop, start } = await restartable();
  const service = `shop-${protocol.replace("/", "-")}`;
  const endpoint = `http://127.0.0.1:${protocol === "grpc" ? ports.grpcPort : ports.httpPort}`;
  const shop = sender(command, script, {
    OTEL_SERVICE_NAME: service,
    OTEL_TRACES_EXPORTER: "otlp",
    OTEL_METRICS_EXPORTER: "otlp",
    OTEL_LOGS_EXPORTER: "otlp",
    OTEL_METRIC_EXPORT_INTERVAL: "3600000",
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: temporality,
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_INSECURE: "true",
    ...(compression && { OTEL_EXPORTER_OTLP_COMPRESSION: compression }),
  });
  expect(await shop.send(100)).toBe("sent");
  if (temporality === "delta") {
    await stop();
    await start();
  }
  expect(await shop.send(50)).toBe("sent");
  await expect.poll(() => counted(reader, service), patient).toEqual(all);
  await shop.end();
  expect(await counted(reader, service)).toEqual(all);
  const [trace] = await reader.traces({ ...range(), service, operation: "order", tags: { n: "7" }, limit: 1 });
  const [order, pay] = (await reader.trace(trace?.traceId ?? "")).toSorted((a, b) => a.name.localeCompare(b.name));
  expect(order).toMatchObject({ attributes: { n: 7, "order.kind": "odd", list: ["a", "b"] }, scope: { name: "shop" } });
  expect(pay).toMatchObject({ name: "pay", parentSpanId: order?.spanId });
}

describe("OpenTelemetry's Node SDK", () => {
  it.each(ways("grpc", "http/protobuf", "http/json"))(
    "sends traces, metrics and logs, and all arrive once: $protocol, compressed $compression, $temporality",
    (way) => sendsAll(process.execPath, "opentelemetry-sender.ts", way),
  );

  it("sends its spans as Zipkin's", async () => {
    const { reader, ports, stop, start } = await restartable();
    const shop = sender(process.execPath, "opentelemetry-sender.ts", {
      OTEL_SERVICE_NAME: "shop-zipkin",
      OTEL_TRACES_EXPORTER: "zipkin",
      OTEL_METRICS_EXPORTER: "none",
      OTEL_LOGS_EXPORTER: "none",
      OTEL_EXPORTER_ZIPKIN_ENDPOINT: `http://127.0.0.1:${ports.httpPort}/api/v2/spans`,
    });
    expect(await shop.send(100)).toBe("sent");
    await stop();
    await start();
    expect(await shop.send(50)).toBe("sent");
    const { traces, spans, errors } = all;
    await expect.poll(() => counted(reader, "shop-zipkin"), patient).toMatchObject({ traces, spans, errors });
    await shop.end();
  });
});

describe.skipIf(withPython)(`OpenTelemetry's Python SDK ${withPython ?? ""}`, () => {
  it.each(ways("grpc", "http/protobuf"))(
    "sends traces, metrics and logs, and all arrive once: $protocol, compressed $compression, $temporality",
    (way) => sendsAll(python ?? "python3", "opentelemetry_sender.py", way),
  );
});

describe.skipIf(envoyMissing !== undefined)(`a real Envoy ${envoyMissing ?? ""}`, () => {
  it("sends spans by four dialects, logs and its own counters by OTLP, and all arrive once", async () => {
    const { reader, ports, address } = await restartable();
    const envoy = await startEnvoy(
      tracingBootstrap({ service: "own", grpc: address(ports.grpcPort), http: address(ports.httpPort) }),
    );
    cleanUps.push(() => envoy.stop());
    const requests = 40;
    for (const dialect of spanDialects) {
      const to = await envoy.listener(dialect);
      for (let n = 0; n < requests; n++) expect((await fetch(`http://${to}/${dialect}/${n}`)).status).toBe(200);
    }
    const spansBy = async (operation: string) =>
      (await reader.traces({ ...range(), operation, limit: 1000 })).reduce((sum, { spans }) => sum + spans, 0);
    for (const dialect of spanDialects) {
      await expect.poll(() => spansBy(dialect), { ...patient, message: dialect }).toBe(requests);
    }
    const lines = () => reader.applicationLogs({ ...range(), service: "own", limit: 1000 });
    await expect.poll(async () => (await lines()).length, patient).toBe(requests);
    expect((await lines()).map(({ body }) => body)).toContain("GET /otlp-grpc/7 200");
    expect((await lines()).every(({ traceId }) => traceId.length === 32)).toBe(true);
    const completed = async () => {
      const series = await reader.metricSeries({ limit: 1000 });
      const isIts = ({ name, labels }: (typeof series)[number]) =>
        name === "http.downstream_rq_completed" && labels["envoy.http_conn_manager_prefix"] === "otlp-grpc";
      const ids = series.filter(isIts).map(({ id }) => id);
      const rows = await reader.metrics({ series: ids, stepSec: 10, ...tenSeconds() });
      return rows.reduce((sum, row) => sum + row.sum, 0);
    };
    await expect.poll(completed, patient).toBe(requests);
  });
});
