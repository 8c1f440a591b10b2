import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { randomOffset } from "../../e2e/mesh.ts";
import { createApi } from "../../server/dashboard/api.ts";
import { createDashboard } from "../../server/dashboard/dashboard.ts";
import { createDashboardServer } from "../../server/dashboard/http-server.ts";
import { everybodyIs } from "../../server/dashboard/testing/callers.ts";
import { createQueries } from "../../server/query/queries.ts";
import type { TelemetryStore } from "../../server/telemetry/store.ts";
import { defaultRetention } from "../../server/wire/retention.ts";
import { quantile, wait } from "./process-usage.ts";
import { rollupsOf, type SyntheticCall, syntheticMesh } from "./synthetic-mesh.ts";
import { batchOf } from "./telemetry-batch.ts";
import { onEachPlace, type Place } from "./telemetry-places.ts";

const root = join(import.meta.dirname, "../..");

/** The same quarter of an hour with ten times the traffic and with four times the edges, an hour of it, and twenty who look on. */
export async function benchGraphCost(): Promise<void> {
  await onEachPlace("graph_1", (place) => graphOf(place, { nodes: 200, edges: 800, factor: 1, historySec: 4200 }));
  await onEachPlace("graph_2", (place) => graphOf(place, { nodes: 200, edges: 800, factor: 10, historySec: 900 }));
  await onEachPlace("graph_3", (place) => graphOf(place, { nodes: 800, edges: 3200, factor: 1, historySec: 900 }));
}

interface Mesh {
  nodes: number;
  edges: number;
  /** Of the traffic. */
  factor: number;
  historySec: number;
}

async function graphOf(place: Place, { nodes, edges, factor, historySec }: Mesh): Promise<void> {
  const store = await place.store();
  const calls = syntheticMesh(nodes, edges).map((call) => ({ ...call, rate: call.rate * factor }));
  const now = Math.floor(Date.now() / 1000);
  const started = process.cpuUsage();
  for (let second = now - historySec; second < now; second++) await feed(store, calls, second);
  const fed = process.cpuUsage(started);
  const title = `${place.name}: ${nodes} workloads, ${edges} calls, traffic × ${factor}`;
  process.stdout.write(
    `${title}: a second to write and fold ${((fed.user + fed.system) / 1000 / historySec).toFixed(1)} ms of processor; ${historySec / 60} min take ${((await place.bytes()) / 1000 / edges).toFixed(0)} kB of disk per call\n`,
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
    process.stdout.write(
      `${title}, graph of ${window / 60} min: first ${times[0]?.toFixed(0)} ms of processor, each second after ${quantile(times.slice(1), 0.5).toFixed(0)} ms\n`,
    );
    await reader.close();
  }
  if (historySec > 3600) await twentyClients(place, (second) => feed(store, calls, second));
  await store.close();
}

/** What the collector would have written of one second, and what it folds every half minute. */
async function feed(store: TelemetryStore, calls: readonly SyntheticCall[], second: number): Promise<void> {
  await store.write(batchOf(second, { rollups: rollupsOf(calls, second) }));
  const pass = { nowMs: second * 1000, settledUntilMs: (second - 21) * 1000, retention: defaultRetention };
  if (second % 30 === 0) while ((await store.compact(pass)).more);
}

/** Each asks for the graph of a quarter of an hour every two seconds, as a page does, while the mesh goes on. */
async function twentyClients(place: Place, write: (second: number) => Promise<void>): Promise<void> {
  const { data, database } = place;
  const portOffset = randomOffset();
  const dashboard = createDashboard({ portOffset, data, root, telemetryDatabase: database, onError: console.error });
  const server = createDashboardServer({
    api: createApi(dashboard),
    callers: everybodyIs(),
    place: { port: 3000, secure: false },
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
  const warm = performance.now() + 4_000;
  const until = performance.now() + 20_000;
  const client = async () => {
    while (performance.now() < until) {
      const started = performance.now();
      const answer = await fetch(url);
      bytes = Number(answer.headers.get("content-length"));
      await answer.arrayBuffer();
      if (started > warm) times.push(performance.now() - started);
      await wait(2000);
    }
  };
  await Promise.all(Array.from({ length: 20 }, (_, i) => wait(i * 97).then(client)));
  clearInterval(timer);
  server.close();
  server.closeAllConnections();
  process.stdout.write(
    `${place.name}: the same for 20 clients at once, over HTTP, with the writing in the same process: p50 ${quantile(times, 0.5).toFixed(1)} ms, p99 ${quantile(times, 0.99).toFixed(0)} ms by the clock; ${(bytes / 1024).toFixed(0)} KiB an answer\n`,
  );
}
