import { Agent, request } from "node:http";
import { startMesh } from "../../e2e/mesh.ts";
import { workloadPorts } from "../../server/fleet/ports.ts";
import { quantile, wait } from "./process-usage.ts";

const changes = 200;
/** The start itself is over by then; `start-up` measures that. */
const settleMs = 10_000;
/** Often enough to find the moment, seldom enough not to be the load: 250 requests a second. */
const askEveryMs = 4;

/**
 * The slider's `PUT` through the dashboard → the first response from the version that it moved all traffic to. Asked all the
 * time through productpage's proxy while the mesh has its usual traffic, so the service's own 5–10 ms count too.
 */
export async function benchSlider(): Promise<void> {
  const mesh = await startMesh();
  const proxy = workloadPorts(1, mesh.portOffset);
  const toRouted: number[] = [];
  const toPut: number[] = [];
  const toFleet: number[] = [];
  try {
    await wait(settleMs);
    for (let change = 0; change < changes; change++) {
      const version = change % 2 === 0 ? "v3" : "v1";
      const routing = (await (await fetch(`${mesh.dashboard}/api/services/default/reviews/routing`)).json()) as {
        virtualService: { resourceVersion: string } | null;
      };
      const weights = { v1: 0, v2: 0, v3: 0, [version]: 100 };
      const started = performance.now();
      const firstRouted = firstResponseFrom({ host: proxy.ip, port: proxy.outbound }, version);
      const answer = await fetch(`${mesh.dashboard}/api/services/default/reviews/routing/weights`, {
        method: "PUT",
        headers: { "content-type": "application/json", origin: mesh.dashboard },
        body: JSON.stringify({ rule: 0, weights, resourceVersion: routing.virtualService?.resourceVersion ?? null }),
      });
      toPut.push(performance.now() - started);
      if (!answer.ok) throw new Error(`the dashboard refused: ${answer.status} ${await answer.text()}`);
      const { revision } = (await answer.json()) as { revision: number };
      toRouted.push((await firstRouted) - started);
      toFleet.push(await pushMs(mesh.dashboard, revision));
    }
  } finally {
    await mesh.stop();
  }
  const row = (name: string, values: number[]) =>
    process.stdout.write(
      `${name}: p50 ${quantile(values, 0.5).toFixed(1)} ms, p99 ${quantile(values, 0.99).toFixed(1)} ms\n`,
    );
  process.stdout.write(`${changes} changes\n`);
  row("PUT → first correctly routed response", toRouted);
  row("PUT → its own answer", toPut);
  row("commit → last proxy's ACK", toFleet);
}

async function pushMs(dashboard: string, revision: number): Promise<number> {
  for (;;) {
    const answer = await fetch(`${dashboard}/api/pushes/${revision}`);
    const push = answer.ok ? ((await answer.json()) as { complete: boolean; ms: number | null } | null) : null;
    if (push?.complete && push.ms !== null) return push.ms;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/** Asks again and again until a response comes from `version`; resolves with the time it was complete. */
function firstResponseFrom(target: { host: string; port: number }, version: string): Promise<number> {
  return new Promise((resolve) => {
    let inFlight = 0;
    const timer = setInterval(() => {
      if (inFlight >= 32) return;
      inFlight++;
      const req = request({ ...target, path: "/reviews/0", headers: { host: "reviews:9080" }, agent }, (res) => {
        let body = "";
        res.on("data", (chunk) => {
          body += chunk;
        });
        res.on("end", () => {
          inFlight--;
          if (!body.includes(`"reviews-${version}"`)) return;
          clearInterval(timer);
          resolve(performance.now());
        });
      });
      req.on("error", () => inFlight--);
      req.end();
    }, askEveryMs);
  });
}
