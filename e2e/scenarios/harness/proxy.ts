import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Backends, bootstrap, type ProxyNode } from "./bootstrap.ts";
import { until } from "./until.ts";

const root = resolve(import.meta.dirname, "../../..");
const envoyPath = process.env.LIMPID_ENVOY ?? join(root, ".build/envoy/envoy/_bin/envoy");

export type ProxyKind = "limpid sidecar" | "Envoy";

/** Why the scenarios can't run on Envoy here; never in CI, where they fail instead. */
export const envoyMissing = !existsSync(envoyPath) && !process.env.CI;

/** A proxy as a process of its own. */
export interface ProxyProcess {
  readonly node: ProxyNode;
  readonly pid: number;
  admin(path: string, method?: string): Promise<{ status: number; body: string }>;
  logs(): string;
  /** The exit code after SIGTERM. */
  terminate(): Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts a proxy and waits until it is ready. */
export async function startProxy(kind: ProxyKind, node: ProxyNode, backends: Backends): Promise<ProxyProcess> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-proxy-"));
  const config = join(folder, "bootstrap.json");
  const addressPath = join(folder, "admin-address");
  await writeFile(config, JSON.stringify(bootstrap(node, backends), null, 2));
  const args = ["-c", config, "--admin-address-path", addressPath, "--concurrency", "1", "--log-level", "info"];
  const [command, ...rest] =
    kind === "Envoy"
      ? [envoyPath, ...args, "--use-dynamic-base-id", "--drain-time-s", "1"]
      : [process.execPath, join(root, "server/cli/sidecar.ts"), ...args, "--drain-time-s", "5"];
  const child = spawn(command ?? "", rest, { stdio: ["ignore", "pipe", "pipe"] });
  let logs = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      logs = (logs + chunk).slice(-100_000);
    });
  }
  const exited = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
  const proxy: ProxyProcess = {
    node,
    pid: child.pid ?? 0,
    logs: () => logs,
    async admin(path, method = "GET") {
      const address = (await readFile(addressPath, "utf8")).trim();
      const response = await fetch(`http://${address}${path}`, { method });
      return { status: response.status, body: await response.text() };
    },
    terminate() {
      child.kill("SIGTERM");
      return exited;
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
  try {
    await ready(proxy, child);
  } catch (error) {
    await proxy.stop();
    throw new Error(`${kind} ${node.workload} did not get ready: ${error}\n${logs}`);
  }
  return proxy;
}

async function ready(proxy: ProxyProcess, child: ChildProcess): Promise<void> {
  await until(async () => {
    if (child.exitCode !== null) throw new Error(`ended with code ${child.exitCode}`);
    const { status, body } = await proxy.admin("/ready");
    if (status !== 200) throw new Error(body);
  }, 20_000);
}
