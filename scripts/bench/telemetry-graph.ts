import { fork } from "node:child_process";
import { once } from "node:events";
import { loadavg } from "node:os";
import { join } from "node:path";
import { randomOffset } from "../../e2e/mesh.ts";
import { createQueries } from "../../server/query/queries.ts";
import type { TelemetryStore } from "../../server/telemetry/store.ts";
import { defaultRetention } from "../../server/wire/retention.ts";
import type { Bars } from "./bars.ts";
import { cpuSeconds, quantile } from "./process-usage.ts";
import { rollupsOf, type SyntheticCall, syntheticMesh } from "./synthetic-mesh.ts";
import { batchOf } from "./telemetry-batch.ts";
import type { ClientTimes } from "./telemetry-clients.ts";
import { reportDisk } from "./telemetry-disk.ts";
import { endOf } from "./telemetry-ingest.ts";
import type { Place } from "./telemetry-places.ts";

/** Processor milliseconds of a graph, each second anew, by its window in seconds. */
type Costs = Map<number, number>;

const quarter = 900;

/** An hour's history, and twenty who look on. */
export async function benchGraph(place: Place, bars: Bars): Promise<void> {
  const costs = await graphOf(place, bars, { nodes: 200, edges: 800, factor: 1, historySec: 4200 });
  const grows = (costs.get(3600) ?? Number.NaN) / (costs.get(quarter) ?? Number.NaN);
  bars.add({ what: `${place.name}: graph of an hour, in graphs of 15 min`, value: grows, unit: "×", most: 2 });
}

/** Ten times the traffic must not cost the graph more; in a place of its own, as two histories of the same minutes are twice the buckets. */
export async function benchGraphTraffic(place: Place, bars: Bars): Promise<void> {
  const once = await graphOf(place, bars, { nodes: 200, edges: 800, factor: 1, historySec: quarter });
  const other = await place.another();
  const mesh = { nodes: 200, edges: 800, factor: 10, historySec: quarter };
  const often = await graphOf(other, bars, mesh).finally(() => other.remove());
  const grows = (often.get(quarter) ?? Number.NaN) / (once.get(quarter) ?? Number.NaN);
  bars.add({ what: `${place.name}: graph with ten times the traffic`, value: grows, unit: "×", most: 1.5 });
}

/** Four times the edges. */
export async function benchGraphEdges(place: Place, bars: Bars): Promise<void> {
  await graphOf(place, bars, { nodes: 800, edges: 3200, factor: 1, historySec: quarter });
}

interface Mesh {
  nodes: number;
  edges: number;
  /** Of the traffic. */
  factor: number;
  historySec: number;
}

async function graphOf(place: Place, bars: Bars, { nodes, edges, factor, historySec }: Mesh): Promise<Costs> {
  const store = await place.store();
  const calls = syntheticMesh(nodes, edges).map((call) => ({ ...call, rate: call.rate * factor }));
  const now = Math.floor(Date.now() / 1000);
  const costs: Costs = new Map();
  const started = process.cpuUsage();
  for (let second = now - historySec; second < now; second++) await feed(store, calls, second);
  const fed = process.cpuUsage(started);
  const diskPerEdge = (await place.bytes()) / edges;
  const title = `${place.name}: ${nodes} workloads, ${edges} calls, traffic × ${factor}`;
  process.stdout.write(
    `${title}: a second to write and fold ${((fed.user + fed.system) / 1000 / historySec).toFixed(1)} ms of processor; ${historySec / 60} min take ${(diskPerEdge / 1000).toFixed(0)} kB of disk per call\n`,
  );
  for (const window of historySec > 3600 ? [60, 900, 3600] : [900]) {
    const reader = await place.reader();
    const queries = createQueries({ reader });
    const times: number[] = [];
    const until = Math.floor(Date.now() / 1000);
    for (let second = until - 8; second < until; second++) {
      await feed(store, calls, second);
      const before = process.cpuUsage();
      await queries.graph({ window, at: second * 1000 });
      const { user, system } = process.cpuUsage(before);
      times.push((user + system) / 1000);
    }
    costs.set(window, quantile(times.slice(1), 0.5));
    process.stdout.write(
      `${title}, graph of ${window / 60} min: first ${times[0]?.toFixed(0)} ms of processor, each second after ${quantile(times.slice(1), 0.5).toFixed(0)} ms\n`,
    );
    await reader.close();
  }
  if (historySec > 3600) {
    await twentyClients(place, bars, (second) => feed(store, calls, second));
    reportDisk(place, bars, { calls, diskPerEdge, historySec });
  }
  await store.close();
  return costs;
}

/** What the collector would have written of one second, and what it folds every half minute. */
async function feed(store: TelemetryStore, calls: readonly SyntheticCall[], second: number): Promise<void> {
  await store.write(batchOf(second, { rollups: rollupsOf(calls, second) }));
  const pass = { nowMs: second * 1000, settledUntilMs: (second - 21) * 1000, retention: defaultRetention };
  if (second % 30 === 0) while ((await store.compact(pass)).more);
}

const dashboardScript = join(import.meta.dirname, "telemetry-dashboard.ts");
const clientsScript = join(import.meta.dirname, "telemetry-clients.ts");

/**
 * Each asks for the graph of a quarter of an hour every two seconds, as a page does, while the mesh goes on. Dashboard and clients have a process each; this one is
 * the collector, whose compaction none of them waits for.
 */
async function twentyClients(place: Place, bars: Bars, write: (second: number) => Promise<void>): Promise<void> {
  const env = { ...process.env, LIMPID_TELEMETRY_DATABASE: place.database ?? "" };
  const dashboard = fork(dashboardScript, [place.data, String(randomOffset())], { env });
  const timer = setInterval(() => void write(Math.floor(Date.now() / 1000) - 1), 1000);
  try {
    const [port] = (await once(dashboard, "message")) as [number];
    const before = cpuSeconds(dashboard.pid ?? 0);
    const clients = fork(clientsScript, [`http://127.0.0.1:${port}/api/graph?window=${quarter}`]);
    const [{ times, bytes }] = (await once(clients, "message")) as [ClientTimes];
    await endOf(clients);
    const spent = cpuSeconds(dashboard.pid ?? 0) - before;
    const what = `${place.name}: graph of 200 services and 800 edges, 15 min, 20 clients at once`;
    process.stdout.write(
      `${what}: ${times.length} answers of ${(bytes / 1024).toFixed(0)} KiB; load ${loadavg()[0]?.toFixed(1)}, the dashboard took ${spent.toFixed(1)} s of processor\n`,
    );
    bars.add({ what: `${what}, p50`, value: quantile(times, 0.5), unit: "ms", most: 20 });
    bars.add({ what: `${what}, p99`, value: quantile(times, 0.99), unit: "ms", most: 50 });
  } finally {
    clearInterval(timer);
    await endOf(dashboard);
  }
}
