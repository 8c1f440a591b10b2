import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { findEnvoy } from "../../server/fleet/envoy.ts";
import { proxyContender, proxyPrograms } from "./envoy-bootstrap.ts";
import { freePort, onPath } from "./ground.ts";
import { limpidProxy, limpidServer, nodeProxy, nodeServer } from "./http2-contenders.ts";
import { h2load } from "./loads.ts";
import { type Contender, Ground, takeTurns, turnsTable } from "./turns.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const rounds = 3;
const seconds = 4;

/**
 * CPU per request of HTTP/2 codecs in clear text, 8 connections × 8 streams, 1 KB: servers and proxies made of nothing else on core 1, the
 * load generator and the proxies' upstream (the bundled codec's bare server) on core 0. The whole sidecar is in `data-path`.
 */
export async function benchHttp2(): Promise<void> {
  if (!onPath("h2load") || !onPath("taskset")) {
    process.stdout.write("needs h2load and taskset (Debian: apt-get install nghttp2-client util-linux)\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const ground = new Ground();
  try {
    const upstream = await ground.start({ ...limpidServer(folder), name: "upstream" }, 0);
    const port = upstream?.port ?? 0;
    const running = await ground.startAll([
      limpidServer(folder),
      nodeServer(folder),
      await envoyContender(folder, ", server", undefined),
      limpidProxy(folder, port),
      nodeProxy(folder, port),
      await envoyContender(folder, ", proxy", port),
    ]);
    await takeTurns(running, h2load({ connections: 8, streams: 8 }), rounds, seconds);
    turnsTable("HTTP/2 in clear text", running, (name) => `Envoy, ${name.split(", ")[1]}`);
  } finally {
    await ground.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** RFC conformance by h2spec, where it is installed. */
export async function benchH2spec(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  try {
    process.stdout.write("| server | passed of 145 |\n|---|---|\n");
    for (const contender of [
      limpidServer(folder),
      nodeServer(folder),
      await envoyContender(folder, ", server", undefined),
    ]) {
      const { value, why } = await h2specPasses(folder, contender);
      process.stdout.write(`| ${contender.name} | ${value ?? why} |\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** How many of h2spec's cases a server passes; why there is no number, where there is none. */
export async function h2specPasses(
  folder: string,
  contender: Contender = limpidServer(folder),
): Promise<{ value: number | undefined; why?: string }> {
  const binary = onPath("h2spec") ? "h2spec" : join(process.env.GOPATH ?? join(homedir(), "go"), "bin/h2spec");
  if (!onPath(binary)) {
    return { value: undefined, why: "needs h2spec (go install github.com/summerwind/h2spec/cmd/h2spec@latest)" };
  }
  const ground = new Ground();
  try {
    const server = await ground.start(contender, 1);
    if (!server) return { value: undefined, why: contender.missing ?? "left out" };
    // It exits with an error where a case fails.
    const { stdout } = await run(binary, ["-h", "127.0.0.1", "-p", String(server.port), "-o", "2"]).catch(
      (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
    );
    const passed = /(\d+) passed/.exec(stdout)?.[1];
    return passed === undefined ? { value: undefined, why: "h2spec gave no result" } : { value: Number(passed) };
  } finally {
    await ground.stop();
  }
}

/** With h2c in; without `upstream` it answers itself. */
async function envoyContender(folder: string, suffix: string, upstream: number | undefined): Promise<Contender> {
  const [program] = proxyPrograms(root, findEnvoy(join(root, ".build")));
  if (!program) throw new Error("there is no program");
  const ports = { port: await freePort(), admin: await freePort() };
  return proxyContender(folder, program, suffix, { ...ports, upstream, codec: "HTTP2" });
}
