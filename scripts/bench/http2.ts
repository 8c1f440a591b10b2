import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { findEnvoy } from "../../server/fleet/envoy.ts";
import { freePort, listening, onPath } from "./ground.ts";
import {
  envoyHttp2,
  type Http2Contender,
  limpidProxy,
  limpidServer,
  nodeProxy,
  nodeServer,
} from "./http2-contenders.ts";
import { cpuSeconds, memoryMb, quantile, wait } from "./process-usage.ts";

const run = promisify(execFile);
const root = resolve(import.meta.dirname, "../..");
const rounds = 3;
const seconds = 4;
const connections = 8;
const streams = 8;

interface Running {
  name: string;
  pid: number;
  port: number;
  micros: number[];
  rates: number[];
}

/**
 * CPU per request over HTTP/2 in clear text, 8 connections × 8 streams, 1 KB: servers and proxies with one worker on core 1, the load generator and
 * the proxies' upstream (the bundled codec's bare server) on core 0. They take turns within a round.
 */
export async function benchHttp2(): Promise<void> {
  if (!onPath("h2load") || !onPath("taskset")) {
    process.stdout.write("needs h2load and taskset (Debian: apt-get install nghttp2-client util-linux)\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const started: ChildProcess[] = [];
  try {
    const upstream = await start({ ...limpidServer(folder), name: "upstream" }, "0", started);
    const envoy = findEnvoy(join(root, ".build"));
    const contenders = [
      limpidServer(folder),
      nodeServer(folder),
      ...(envoy ? [envoyHttp2(folder, envoy, await freePort(), await freePort())] : []),
      limpidProxy(folder, upstream.port),
      nodeProxy(folder, upstream.port),
      ...(envoy ? [envoyHttp2(folder, envoy, await freePort(), await freePort(), upstream.port)] : []),
    ];
    const running: Running[] = [];
    for (const contender of contenders) running.push(await start(contender, "1", started));
    for (const { port } of running) await load(port, 2); // warm-up
    for (let round = 0; round < rounds; round++) for (const each of running) await measure(each);
    report(running);
  } finally {
    for (const child of started) child.kill("SIGTERM");
    await wait(300);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** RFC conformance by h2spec, where it is installed: `go install github.com/summerwind/h2spec/cmd/h2spec@latest`. */
export async function benchH2spec(): Promise<void> {
  const binary = onPath("h2spec") ? "h2spec" : join(process.env.GOPATH ?? join(homedir(), "go"), "bin/h2spec");
  if (!onPath(binary)) {
    process.stdout.write("needs h2spec (go install github.com/summerwind/h2spec/cmd/h2spec@latest)\n");
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const started: ChildProcess[] = [];
  try {
    const envoy = findEnvoy(join(root, ".build"));
    const contenders = [
      limpidServer(folder),
      nodeServer(folder),
      ...(envoy ? [envoyHttp2(folder, envoy, await freePort(), await freePort())] : []),
    ];
    process.stdout.write("| server | h2spec |\n|---|---|\n");
    for (const contender of contenders) {
      const { name, port } = await start(contender, "1", started);
      // It exits with an error where a case fails.
      const { stdout } = await run(binary, ["-h", "127.0.0.1", "-p", String(port), "-o", "2"]).catch(
        (error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }),
      );
      process.stdout.write(`| ${name} | ${/\d+ tests, .*/.exec(stdout)?.[0] ?? "no result"} |\n`);
    }
  } finally {
    for (const child of started) child.kill("SIGTERM");
    await wait(300);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function start(contender: Http2Contender, core: string, started: ChildProcess[]): Promise<Running> {
  const child = spawn("taskset", ["-c", core, ...contender.command], { stdio: ["ignore", "pipe", "inherit"] });
  started.push(child);
  const port = contender.port ?? (await firstLine(child));
  await listening(port);
  return { name: contender.name, pid: child.pid as number, port, micros: [], rates: [] };
}

async function firstLine(child: ChildProcess): Promise<number> {
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream });
  for await (const line of lines) return Number(line);
  throw new Error("a contender ended before it listened");
}

async function measure(each: Running): Promise<void> {
  const before = cpuSeconds(each.pid);
  const requests = await load(each.port, seconds);
  each.micros.push(((cpuSeconds(each.pid) - before) * 1e6) / requests);
  each.rates.push(requests / seconds);
}

async function load(port: number, durationSec: number): Promise<number> {
  const options = ["-c", String(connections), "-m", String(streams), "-D", String(durationSec)];
  const { stdout } = await run("taskset", ["-c", "0", "h2load", ...options, `http://127.0.0.1:${port}/`]);
  const [, done = "0", failed = "0"] = /(\d+) succeeded, (\d+) failed/.exec(stdout) ?? [];
  // The last requests of a timed run are cut off by its end.
  if (Number(failed) > connections * streams) process.stdout.write(`! ${failed} failed requests on port ${port}\n`);
  return Number(done);
}

function report(running: readonly Running[]): void {
  process.stdout.write(
    "| HTTP/2 in clear text | CPU µs/request (median, min–max) | requests/s | RSS MB | × Envoy |\n|---|---|---|---|---|\n",
  );
  for (const { name, micros, rates, pid } of running) {
    const kind = name.split(", ")[1];
    const envoy = running.find((other) => other.name === `Envoy, ${kind}`);
    const median = quantile(micros, 0.5);
    const ratio = envoy ? (median / quantile(envoy.micros, 0.5)).toFixed(2) : "-";
    process.stdout.write(
      `| ${name} | ${median.toFixed(1)} (${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}) | ${Math.round(quantile(rates, 0.5))} | ${memoryMb(pid).rss.toFixed(0)} | ${ratio} |\n`,
    );
  }
}
