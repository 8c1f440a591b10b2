import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findEnvoy } from "../../server/fleet/envoy.ts";
import { Bars } from "./bars.ts";
import { swapUnderLoad } from "./config-swaps.ts";
import { contenders, suffixes } from "./contenders.ts";
import { proxyContender, proxyPrograms } from "./envoy-bootstrap.ts";
import { freePort, onPath } from "./ground.ts";
import { certify, http1Upstream } from "./http1-upstream.ts";
import { h2specPasses } from "./http2.ts";
import { bodyBytes, grpcServer, limpidServer } from "./http2-contenders.ts";
import { grpcFlags, h2load, type Load, wrk } from "./loads.ts";
import { memoryMb } from "./process-usage.ts";
import { Ground, ratioOf, takeTurns, turnsTable } from "./turns.ts";

const root = resolve(import.meta.dirname, "../..");
const rounds = 3;
const seconds = 5;
const steady = { rate: 1_000, connections: 32, seconds: 40 };

/**
 * What a request costs a proxy in processor time, over HTTP/1.1, HTTP/2 and gRPC, what it holds of memory, and that changes of its config
 * fail nothing, with a verdict for each bar. Each proxy has one worker on core 1; the load generator, the upstream and the collector are on core 0.
 */
export async function benchDataPath(): Promise<void> {
  for (const tool of ["wrk", "nginx", "taskset", "h2load"]) {
    if (!onPath(tool)) {
      process.stdout.write(
        `needs ${tool} (Debian: apt-get install wrk nginx-light haproxy util-linux nghttp2-client)\n`,
      );
      return;
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const bars = new Bars();
  try {
    execFileSync("taskset", ["-apc", "0", String(process.pid)], { stdio: "ignore" });
    const setting = { folder, envoy: findEnvoy(join(root, ".build")), bars };
    await bars.part("HTTP/1.1", () => http1(setting));
    await bars.part("HTTP/2", () => http2(setting, "HTTP/2", limpidServer(folder), []));
    await bars.part("gRPC", () => http2(setting, "gRPC unary", grpcServer(folder), grpcFlags(folder, bodyBytes)));
    await bars.part("config swaps", () => configSwaps(setting));
    await bars.part("h2spec", async () =>
      bars.add({ what: "h2spec, the bundled codec", unit: "of 145", least: 144, ...(await h2specPasses(folder)) }),
    );
    bars.table();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Setting {
  folder: string;
  envoy: string | undefined;
  bars: Bars;
}

/** 1 KB bodies over 32 kept connections, and what the sidecar holds at a steady 1,000 requests a second. */
async function http1({ folder, envoy, bars }: Setting): Promise<void> {
  const ground = new Ground();
  try {
    const upstream = await freePort();
    const mutualTls = { port: await freePort(), certificate: await certify(folder) };
    await ground.start(http1Upstream(folder, upstream, mutualTls), 0);
    const running = await ground.startAll(await contenders({ root, folder, upstream, mutualTls, envoy, freePort }));
    const memory = running.find(({ name }) => name === `Limpid sidecar${suffixes.mesh}`);
    if (memory) {
      const { rate } = steady;
      const { requests } = await h2load({ ...steady, http1: true })(memory.port, steady.seconds);
      const what = `resident memory at ${Math.round(requests / steady.seconds)} of ${rate} requests/s`;
      bars.add({ what, value: memoryMb(memory.pid).rss, unit: "MB", most: 80 });
    }
    await takeTurns(running, wrk(32), rounds, seconds);
    turnsTable("HTTP/1.1", running, (name) => name.replace("Limpid sidecar", "Envoy"));
    const ratio = (what: string, suffix: string, most: number) =>
      bars.add({ what, value: ratioOf(running, `Limpid sidecar${suffix}`, `Envoy${suffix}`), unit: "× Envoy", most });
    ratio("HTTP/1.1 with access log, fault and CORS filters", suffixes.mesh, 0.5);
    ratio("HTTP/1.1 over mutual TLS, with access log", suffixes.tls, 0.8);
    const nginx = running.find(({ name }) => name.startsWith("nginx"))?.name;
    const value = ratioOf(running, "Limpid sidecar", nginx);
    bars.add({ what: "HTTP/1.1, plain", value, unit: "× nginx", most: 1.5 });
  } finally {
    await ground.stop();
  }
}

/** In clear text, 8 connections × 8 streams, 1 KB. */
async function http2(
  { folder, envoy, bars }: Setting,
  what: string,
  server: ReturnType<typeof limpidServer>,
  flags: readonly string[],
): Promise<void> {
  const ground = new Ground();
  try {
    const upstream = await ground.start(server, 0);
    const proxies = proxyPrograms(root, envoy).map(async (program) => {
      const ports = { port: await freePort(), admin: await freePort(), upstream: upstream?.port };
      return proxyContender(folder, program, `, ${what}`, { ...ports, codec: "HTTP2" });
    });
    const running = await ground.startAll(await Promise.all(proxies));
    const load: Load = h2load({ connections: 8, streams: 8, flags });
    await takeTurns(running, load, rounds, seconds);
    turnsTable(what, running, `Envoy, ${what}`);
    const value = ratioOf(running, `Limpid sidecar, ${what}`, `Envoy, ${what}`);
    bars.add({ what: `${what} in clear text`, value, unit: "× Envoy", most: 0.8 });
  } finally {
    await ground.stop();
  }
}

async function configSwaps({ folder, envoy, bars }: Setting): Promise<void> {
  const ground = new Ground();
  try {
    const upstream = await freePort();
    const mutualTls = { port: await freePort(), certificate: await certify(folder) };
    await ground.start(http1Upstream(folder, upstream, mutualTls), 0);
    for (const { name, command, missing } of proxyPrograms(root, envoy)) {
      if (missing !== undefined) continue;
      const { rate, failed, acknowledged } = await swapUnderLoad(upstream, name === "Envoy" ? undefined : command);
      const what = `failed while ${acknowledged} of 100 configurations came, at ${Math.round(rate)} requests/s: ${name}`;
      bars.add({ what, value: failed, unit: "requests", ...(name !== "Envoy" && { most: 0 }) });
    }
  } finally {
    await ground.stop();
  }
}
