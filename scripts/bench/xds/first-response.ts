import { type ChildProcess, spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { freePort, testBootstrap } from "../../../server/xds/testing/envoy.ts";
import { cpuSeconds, quantile, wait } from "../process-usage.ts";
import { createRawClient, prepareRequest, type RawClient } from "../raw-http.ts";
import { type Bars, print } from "./bars.ts";
import { seedObjects, threeRoutesOf, toggledObjects, toggleOf } from "./mesh.ts";
import { startPlane, stop } from "./plane.ts";

/** Often enough to find the moment, seldom enough not to be the load. */
const askEveryMs = 2;
const maxInFlight = 16;

/**
 * A rule is put at the config API; a client asks through the bundled sidecar all the time. Until the first answer from the version that the rule leads to.
 * Beside that service the mesh has three routes for each of the others.
 */
export async function measureFirstResponses(data: string, services: number, puts: number, bars: Bars): Promise<void> {
  const versions = await Promise.all(["v1", "v2"].map(answering));
  const ports = versions.map((server) => (server.address() as AddressInfo).port);
  await seedObjects(
    data,
    Array.from({ length: services }, (_, i) => threeRoutesOf(i)),
  );
  await seedObjects(data, toggledObjects(ports));
  const plane = await startPlane(data);
  const proxyPort = await freePort();
  const sidecar = startSidecar(data, plane.port, proxyPort);
  const client = createRawClient({ host: "127.0.0.1", port: proxyPort });
  const toRouted: number[] = [];
  const toAnswer: number[] = [];
  try {
    await untilServing(client, sidecar);
    await plane.put(toggleOf("v1"));
    const before = plane.cpuSeconds();
    const beforeAtProxy = cpuSeconds(sidecar.pid ?? 0);
    for (let put = 0; put < puts; put++) {
      const version = put % 2 === 0 ? "v2" : "v1";
      const started = performance.now();
      const answered = plane.put(toggleOf(version)).then(() => performance.now());
      const [routedAt, answeredAt] = await Promise.all([firstResponseFrom(client, version), answered]);
      toRouted.push(routedAt - started);
      toAnswer.push(answeredAt - started);
      await wait(50);
    }
    const each = (seconds: number) => `${((1e3 * seconds) / puts).toFixed(1)} ms`;
    print(
      `${puts} changes with ${3 * services} routes: PUT → its own answer p50 ${quantile(toAnswer, 0.5).toFixed(1)} ms, p99 ${quantile(toAnswer, 0.99).toFixed(1)} ms; ` +
        `processor for each: control plane ${each(plane.cpuSeconds() - before)}, sidecar ${each(cpuSeconds(sidecar.pid ?? 0) - beforeAtProxy)} with its requests`,
    );
    bars.check("PUT → first correctly routed response, p50", quantile(toRouted, 0.5), 10, "ms");
    bars.check("PUT → first correctly routed response, p99", quantile(toRouted, 0.99), 40, "ms");
  } finally {
    client.close();
    await stop(sidecar);
    await plane.stop();
    for (const server of versions) server.close();
  }
}

async function answering(version: string): Promise<Server> {
  const server = createServer((_, response) => response.writeHead(200, { "content-length": 2 }).end(version));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return server;
}

function startSidecar(data: string, xdsPort: number, proxyPort: number): ChildProcess {
  const file = join(data, "sidecar.json");
  const bootstrap = testBootstrap({
    id: "sidecar~127.0.0.1~asking.default~default.svc.cluster.local",
    xdsPort,
    api: "DELTA_GRPC",
    staticClusters: ["limpid-collector"],
    metadata: { INTERCEPTION_MODE: "NONE", HTTP_PROXY_PORT: String(proxyPort), LABELS: { app: "asking" } },
  });
  writeFileSync(file, JSON.stringify(bootstrap));
  return spawn(process.execPath, ["server/cli/main.ts", "sidecar", "-c", file], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, LIMPID_LOG_LEVEL: "error" },
  });
}

const request = prepareRequest("GET", "/", { host: "toggled:8080" });

async function untilServing(client: RawClient, sidecar: ChildProcess): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(100)) {
    if (sidecar.exitCode !== null) throw new Error("the sidecar did not start");
    const answer = await client.ask(request).catch(() => undefined);
    if (answer?.body === "v1") return;
  }
  throw new Error("after a minute the sidecar does not serve");
}

/** Asks again and again until a response comes from `version`; resolves with the time it was complete. */
function firstResponseFrom(client: RawClient, version: string): Promise<number> {
  return new Promise((resolve, reject) => {
    let inFlight = 0;
    const end = (settle: () => void) => {
      clearInterval(timer);
      clearTimeout(patience);
      settle();
    };
    const timer = setInterval(() => {
      if (inFlight >= maxInFlight) return;
      inFlight++;
      client.ask(request).then(
        ({ body }) => {
          inFlight--;
          if (body === version) end(() => resolve(performance.now()));
        },
        (error: unknown) => end(() => reject(error)),
      );
    }, askEveryMs);
    const patience = setTimeout(() => end(() => reject(new Error(`no answer from ${version} in ten seconds`))), 10_000);
  });
}
