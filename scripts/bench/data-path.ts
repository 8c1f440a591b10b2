import { type ChildProcess, execFile, execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import type { BootstrapCertificate } from "../../server/fleet/bootstrap.ts";
import { bootstrapCertificate, certifyProxies } from "../../server/fleet/certificates.ts";
import { findEnvoy } from "../../server/fleet/envoy.ts";
import { type Contender, contenders, type Setting } from "./contenders.ts";
import { freePort, listening, onPath } from "./ground.ts";
import { cpuSeconds, memoryMb, quantile, wait, withDescendants } from "./process-usage.ts";

const root = resolve(import.meta.dirname, "../..");
const rounds = 3;
const seconds = 5;
const connections = 32;

/**
 * CPU per proxied request: 1 KB bodies, 32 keep-alive connections, each proxy with one worker on core 1, the load generator and the
 * upstream on core 0. The proxies take turns within a round, so that the machine's drift meets them all.
 */
export async function benchDataPath(): Promise<void> {
  for (const tool of ["wrk", "nginx", "taskset"]) {
    if (!onPath(tool)) {
      process.stdout.write(`needs ${tool} (Debian: apt-get install wrk nginx-light haproxy util-linux)\n`);
      return;
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "limpid-bench-"));
  const started: ChildProcess[] = [];
  try {
    execFileSync("taskset", ["-apc", "0", String(process.pid)], { stdio: "ignore" });
    const upstream = await freePort();
    const mutualTls = { upstream: await freePort(), certificate: await certify(folder) };
    started.push(startUpstream(folder, upstream, mutualTls));
    await listening(upstream);
    const envoy = findEnvoy(join(root, ".build"));
    const running: { contender: Contender; port: number; pid: number; micros: number[]; rates: number[] }[] = [];
    for (const contender of await contenders({ root, folder, upstream, mutualTls, envoy, freePort })) {
      if (contender.missing !== undefined) {
        process.stdout.write(`${contender.name}: left out, ${contender.missing}\n`);
        continue;
      }
      const child = spawn("taskset", ["-c", "1", ...contender.command], {
        stdio: ["ignore", "ignore", "pipe"],
        env: contender.env ?? process.env,
      });
      started.push(child);
      await listening(contender.port);
      running.push({ contender, port: contender.port, pid: child.pid as number, micros: [], rates: [] });
    }
    for (const { port } of running) await load(port, 2); // warm-up
    for (let round = 0; round < rounds; round++) {
      for (const proxy of running) {
        const pids = withDescendants(proxy.pid);
        const before = pids.map(cpuSeconds);
        const { requests, errors } = await load(proxy.port, seconds);
        const used = pids
          .map((pid, index) => cpuSeconds(pid) - (before[index] as number))
          .reduce((sum, each) => sum + each, 0);
        if (errors > 0) process.stdout.write(`! ${proxy.contender.name}: ${errors} failed responses\n`);
        proxy.micros.push((used * 1e6) / requests);
        proxy.rates.push(requests / seconds);
      }
    }
    const reference = running.find(({ contender }) => contender.reference);
    process.stdout.write(
      "| proxy | CPU µs/request (median, min–max) | requests/s | RSS MB | × Envoy with ALS |\n|---|---|---|---|---|\n",
    );
    for (const { contender, micros, rates, pid } of running) {
      const rss = withDescendants(pid).reduce((sum, each) => sum + memoryMb(each).rss, 0);
      const median = quantile(micros, 0.5);
      const ratio = reference ? (median / quantile(reference.micros, 0.5)).toFixed(2) : "-";
      process.stdout.write(
        `| ${contender.name} | ${median.toFixed(1)} (${Math.min(...micros).toFixed(1)}–${Math.max(...micros).toFixed(1)}) | ${Math.round(quantile(rates, 0.5))} | ${rss.toFixed(0)} | ${ratio} |\n`,
      );
    }
  } finally {
    for (const child of started) child.kill("SIGTERM");
    await wait(500);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Not a synchronous call: this process is also the collector that takes the access logs meanwhile. */
async function load(port: number, durationSec: number): Promise<{ requests: number; errors: number }> {
  const args = ["-c", "0", "wrk", "-t1", `-c${connections}`, `-d${durationSec}s`, `http://127.0.0.1:${port}/`];
  const { stdout } = await promisify(execFile)("taskset", args);
  return {
    requests: Number(/(\d+) requests in/.exec(stdout)?.[1] ?? 0),
    errors: Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0),
  };
}

/** One certificate for both sides. */
async function certify(folder: string): Promise<BootstrapCertificate> {
  const workload = "bench";
  const identity = {
    type: "sidecar" as const,
    namespace: "default",
    serviceAccount: workload,
    labels: {},
    inboundPorts: [],
  };
  await certifyProxies(folder, [{ ...identity, workload }]);
  return bootstrapCertificate(folder, workload);
}

function startUpstream(folder: string, port: number, mutualTls: Setting["mutualTls"]): ChildProcess {
  const { chain, key, root: authority } = mutualTls.certificate;
  const file = join(folder, "upstream.conf");
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${folder}/upstream.pid; error_log /dev/null;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; client_body_temp_path ${folder}; proxy_temp_path ${folder}; fastcgi_temp_path ${folder}; uwsgi_temp_path ${folder}; scgi_temp_path ${folder};
  server { listen 127.0.0.1:${port}; location / { return 200 "${"x".repeat(1024)}"; } }
  server { listen 127.0.0.1:${mutualTls.upstream} ssl; location / { return 200 "${"x".repeat(1024)}"; }
    ssl_certificate ${chain}; ssl_certificate_key ${key}; ssl_protocols TLSv1.3; ssl_client_certificate ${authority}; ssl_verify_client on; } }`,
  );
  return spawn("taskset", ["-c", "0", "nginx", "-c", file, "-p", folder], { stdio: "ignore" });
}
