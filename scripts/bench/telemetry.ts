import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomOffset } from "../../e2e/mesh.ts";
import { createApi } from "../../server/dashboard/api.ts";
import { createDashboard } from "../../server/dashboard/dashboard.ts";
import { createDashboardServer } from "../../server/dashboard/http-server.ts";
import { meshPorts } from "../../server/fleet/ports.ts";
import { createQueries } from "../../server/query/queries.ts";
import { openSqliteTelemetryReader } from "../../server/store/telemetry/sqlite-reader.ts";
import { openSqliteTelemetryStore } from "../../server/store/telemetry/sqlite-store.ts";
import type { TelemetryBatch, TelemetryStore } from "../../server/telemetry/store.ts";
import { defaultRetention } from "../../server/wire/retention.ts";
import { cpuSeconds, memoryMb, quantile, wait } from "./process-usage.ts";
import { rollupsOf, type SyntheticCall, syntheticMesh } from "./synthetic-mesh.ts";
import { accessLogSender, type Sender, spanSender, syntheticSpans } from "./telemetry-senders.ts";

const root = join(import.meta.dirname, "../..");
const main = join(import.meta.dirname, "../../server/cli/main.ts");

/**
 * What telemetry costs: access logs and spans from the wire to the store by processor time of the collector; the graph's cost by traffic, edges and
 * time; search among a million spans.
 */
export async function benchTelemetry(): Promise<void> {
  await ingestOf("access logs", accessLogSender, 8);
  await ingestOf("OTLP spans of 6 attributes", spanSender, 8);
  await graphCost();
  await traceSearch();
}

/** Sends as fast as the collector takes it; its processor time, and not the clock, tells what a core of its own would do. */
async function ingestOf(what: string, make: (port: number) => Promise<Sender>, seconds: number): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "limpid-ingest-"));
  const offset = randomOffset();
  const ports = meshPorts(offset);
  const collector = spawn(process.execPath, [main, "collector", "--port-offset", String(offset), "--data", data], {
    stdio: "ignore",
  });
  try {
    await ready(`http://127.0.0.1:${ports.collectorHttp}/healthz`, collector);
    const sender = await make(ports.collectorGrpc);
    await sender.run(2);
    await wait(1500);
    const pid = collector.pid as number;
    const before = cpuSeconds(pid);
    const sent = await sender.run(seconds);
    await wait(2500);
    const used = cpuSeconds(pid) - before;
    const health = (await (await fetch(`http://127.0.0.1:${ports.collectorHttp}/healthz`)).json()) as { shed: object };
    process.stdout.write(
      `${what}: ${(sent / used / 1000).toFixed(0)} k/s and core (${sent} in ${used.toFixed(1)} s of processor), ${memoryMb(pid).rss.toFixed(0)} MB, shed ${JSON.stringify(health.shed)}\n`,
    );
    await sender.close();
  } finally {
    collector.kill("SIGTERM");
    await once(collector, "exit");
    rmSync(data, { recursive: true, force: true });
  }
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`the collector ended with ${child.exitCode}`);
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok) return;
    await wait(50);
  }
}

/** The same quarter of an hour with ten times the traffic, with four times the edges; and what a day of it takes on disk. */
async function graphCost(): Promise<void> {
  for (const [nodes, edges, factor] of [
    [200, 800, 1],
    [200, 800, 10],
    [800, 3200, 1],
  ] as const) {
    const data = mkdtempSync(join(tmpdir(), "limpid-cost-"));
    const path = join(data, "telemetry.db");
    const store = await openSqliteTelemetryStore({ path });
    const calls = syntheticMesh(nodes, edges).map((call) => ({ ...call, rate: call.rate * factor }));
    const now = Math.floor(Date.now() / 1000);
    for (let second = now - 900; second < now; second++) await feed(store, calls, second);
    const reader = await openSqliteTelemetryReader({ path });
    const queries = createQueries({ reader });
    const times: number[] = [];
    for (let second = now; second < now + 8; second++) {
      await feed(store, calls, second);
      const before = process.cpuUsage();
      await queries.graph({ window: 900, at: second * 1000 });
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    const kb = statSync(path).size / 1000 / edges;
    process.stdout.write(
      `graph of ${nodes} workloads, ${edges} calls, traffic × ${factor}, 15 min: first ${times[0]?.toFixed(0)} ms of processor, each second after ${quantile(times.slice(1), 0.5).toFixed(0)} ms; ${kb.toFixed(0)} kB of disk per call\n`,
    );
    await reader.close();
    if (factor === 1 && edges === 800) await twentyClients(data, (second) => feed(store, calls, second));
    await store.close();
    rmSync(data, { recursive: true, force: true });
  }
}

/** What the collector would have written of one second, and what it folds every half minute. */
async function feed(store: TelemetryStore, calls: readonly SyntheticCall[], second: number): Promise<void> {
  await store.write(batchOf(second, { rollups: rollupsOf(calls, second) }, second));
  const pass = { nowMs: second * 1000, settledUntilMs: (second - 21) * 1000, retention: defaultRetention };
  if (second % 30 === 0) while ((await store.compact(pass)).more);
}

/** Each asks for the graph of a quarter of an hour every two seconds, as a page does, while the mesh goes on. */
async function twentyClients(data: string, write: (second: number) => Promise<void>): Promise<void> {
  const dashboard = createDashboard({ portOffset: randomOffset(), data, root, onError: console.error });
  const server = createDashboardServer({
    api: createApi(dashboard),
    addresses: async () => undefined,
    pages: (_, response) => response.end(),
    allowedHosts: [],
    onError: () => {},
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/graph?window=900`;
  const timer = setInterval(() => void write(Math.floor(Date.now() / 1000) - 1), 1000);
  const times: number[] = [];
  let bytes = 0;
  const until = performance.now() + 16_000;
  const client = async () => {
    while (performance.now() < until) {
      const started = performance.now();
      const answer = await fetch(url);
      bytes = Number(answer.headers.get("content-length"));
      await answer.arrayBuffer();
      times.push(performance.now() - started);
      await wait(2000);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, i) => wait(i * 97).then(client)));
  clearInterval(timer);
  server.close();
  server.closeAllConnections();
  process.stdout.write(
    `the same for 20 clients at once, over HTTP: p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(0)} ms; ${(bytes / 1024).toFixed(0)} KiB an answer\n`,
  );
}

async function traceSearch(): Promise<void> {
  const data = mkdtempSync(join(tmpdir(), "limpid-search-"));
  const path = join(data, "telemetry.db");
  const store = await openSqliteTelemetryStore({ path });
  const [traces, perBatch] = [100_000, 500];
  const now = Date.now();
  for (let first = 0; first < traces; first += perBatch) {
    const spans = syntheticSpans(first, perBatch, now - (traces - first) * 8);
    await store.write(batchOf(Math.floor(now / 1000) + first, { spans }));
  }
  const reader = await openSqliteTelemetryReader({ path });
  const all = { fromMs: now - 3_600_000, toMs: now + 1000, limit: 50 };
  const searches: Record<string, object> = {
    newest: {},
    "by service and operation": { service: "svc-7", operation: "GET /op-3" },
    "by duration": { minDurationMs: 99.9 },
    "with errors": { errorsOnly: true },
    "by a rare tag": { tags: { "user.id": "u-77777" } },
    "by a tag that nothing has": { tags: { "user.id": "nobody" } },
    "by an operation that nothing has": { operation: "nothing" },
  };
  for (const [name, query] of Object.entries(searches)) {
    const { ms, result } = await timed(() => reader.traces({ ...all, ...query }));
    process.stdout.write(`1 M spans, traces ${name}: ${ms.toFixed(0)} ms (${result.length} found)\n`);
  }
  const [some] = await reader.traces({ ...all, limit: 1 });
  const { ms } = await timed(() => reader.trace(some?.traceId ?? ""));
  process.stdout.write(`1 M spans, one trace: ${ms.toFixed(1)} ms; ${(statSync(path).size / 1e6).toFixed(0)} MB\n`);
  await reader.close();
  await store.close();
  rmSync(data, { recursive: true, force: true });
}

/** The median of five. */
async function timed<T>(work: () => Promise<T>): Promise<{ ms: number; result: T }> {
  let result = await work();
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const started = performance.now();
    result = await work();
    times.push(performance.now() - started);
  }
  return { ms: quantile(times, 0.5), result };
}

const batchOf = (id: number, changes: Partial<TelemetryBatch>, second = Date.now() / 1000): TelemetryBatch => ({
  id,
  collector: {
    id: "bench",
    startedAtMs: 0,
    flushedAtMs: Date.now(),
    completeUntilMs: Date.now(),
    settledUntilMs: Math.floor(second - 21) * 1000,
    freshAtMs: Date.now(),
    active: true,
  },
  rollups: [],
  samples: [],
  spans: [],
  logs: [],
  metrics: [],
  senders: new Map(),
  ...changes,
});
