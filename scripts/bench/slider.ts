import { startMesh, type TestMesh } from "../../e2e/mesh.ts";
import { readMachineToken } from "../../server/access/machine-token.ts";
import { workloadPorts } from "../../server/fleet/ports.ts";
import { quantile, wait } from "./process-usage.ts";
import { createRawClient, prepareRequest, type RawClient } from "./raw-http.ts";

const changes = 200;
/** A mesh that has been running for a minute: V8 has compiled the proxies' and services' request path. `start-up` measures the start. */
const settleMs = 60_000;
/** Often enough to find the moment, seldom enough not to be the load: 125 requests a second. */
const askEveryMs = 8;
const maxInFlight = 32;

/**
 * The slider's `PUT` through the dashboard → the first response from the version that it moved all traffic to. Asked all the
 * time through productpage's proxy while the mesh has its usual traffic, so the service's own 5–10 ms count too.
 */
export async function benchSlider(): Promise<void> {
  const mesh = await startMesh();
  const proxy = workloadPorts(1, mesh.portOffset);
  const reviews = createRawClient({ host: proxy.ip, port: proxy.outbound });
  const dashboard = openDashboard(mesh);
  const toRouted: number[] = [];
  const toPut: number[] = [];
  const toFleet: number[] = [];
  try {
    await wait(settleMs);
    for (let change = 0; change < changes; change++) {
      const version = change % 2 === 0 ? "v3" : "v1";
      const { virtualService } = (await dashboard.get("/api/services/default/reviews/routing")) as {
        virtualService: { resourceVersion: string } | null;
      };
      const weights = { v1: 0, v2: 0, v3: 0, [version]: 100 };
      const started = performance.now();
      const put = async () => {
        const body = { rule: 0, weights, resourceVersion: virtualService?.resourceVersion ?? null };
        const answer = await dashboard.put("/api/services/default/reviews/routing/weights", body);
        toPut.push(performance.now() - started);
        return answer as { revision: number };
      };
      // Together, so that one that fails leaves no rejection behind that nobody hears of, and the mesh is still stopped.
      const [routedAt, { revision }] = await Promise.all([firstResponseFrom(reviews, version), put()]);
      toRouted.push(routedAt - started);
      toFleet.push(await pushMs(dashboard, revision));
    }
  } finally {
    reviews.close();
    dashboard.close();
    await mesh.stop();
  }
  const row = (name: string, values: number[]) =>
    process.stdout.write(
      `${name}: p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms, first ${values[0]?.toFixed(1)} ms\n`,
    );
  process.stdout.write(`${changes} changes\n`);
  row("PUT → first correctly routed response", toRouted);
  row("PUT → its own answer", toPut);
  row("commit → last proxy's ACK", toFleet);
}

interface DashboardClient {
  get(path: string): Promise<unknown>;
  put(path: string, body: unknown): Promise<unknown>;
  close(): void;
}

function openDashboard(mesh: TestMesh): DashboardClient {
  const { hostname, port, host } = new URL(mesh.dashboard);
  const authorization = `Bearer ${readMachineToken(mesh.data)}`;
  const client = createRawClient({ host: hostname, port: Number(port) });
  const ask = async (method: string, path: string, headers: Record<string, string>, sent?: string) => {
    const { status, body } = await client.ask(prepareRequest(method, path, { host, authorization, ...headers }, sent));
    if (status !== 200) throw new Error(`${method} ${path}: ${status} ${body}`);
    return JSON.parse(body) as unknown;
  };
  return {
    get: (path) => ask("GET", path, {}),
    put: (path, body) =>
      ask("PUT", path, { "content-type": "application/json", origin: mesh.dashboard }, JSON.stringify(body)),
    close: () => client.close(),
  };
}

async function pushMs(dashboard: DashboardClient, revision: number): Promise<number> {
  for (;;) {
    const push = (await dashboard.get(`/api/pushes/${revision}`)) as { complete: boolean; ms: number | null } | null;
    if (push?.complete && push.ms !== null) return push.ms;
    await wait(5);
  }
}

const askReviews = prepareRequest("GET", "/reviews/0", { host: "reviews:9080" });

/** Asks again and again until a response comes from `version`; resolves with the time it was complete. */
function firstResponseFrom(reviews: RawClient, version: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let inFlight = 0;
    const timer = setInterval(() => {
      if (inFlight >= maxInFlight) return;
      inFlight++;
      reviews.ask(askReviews).then(
        ({ body }) => {
          inFlight--;
          if (!body.includes(`"reviews-${version}"`)) return;
          clearInterval(timer);
          resolve(performance.now());
        },
        (error: unknown) => {
          clearInterval(timer);
          reject(error);
        },
      );
    }, askEveryMs);
  });
}
