import { spawn } from "node:child_process";
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

/** For the title of tests that it skips. */
export const whySkipped = (kind: ProxyKind): string =>
  kind === "Envoy" && envoyMissing ? " (skipped: there is no Envoy; `npm test` installs one)" : "";

/** A proxy as a process of its own. */
export interface ProxyProcess {
  admin(path: string, method?: string): Promise<{ status: number; body: string }>;
  logs(): string;
  signal(name: NodeJS.Signals): void;
  /** The exit code; null after a signal that it did not handle. */
  readonly exited: Promise<number | null>;
  stop(): Promise<void>;
}

/** Starts a proxy of the mesh and waits until it is ready. */
export async function startProxy(kind: ProxyKind, node: ProxyNode, backends: Backends): Promise<ProxyProcess> {
  const proxy = await spawnProxy(kind, bootstrap(node, backends));
  try {
    await untilReady(proxy);
  } catch (error) {
    await proxy.stop();
    throw new Error(`${kind} ${node.workload} did not get ready: ${error}\n${proxy.logs()}`);
  }
  return proxy;
}

/** Starts a proxy on any bootstrap, and waits for nothing. */
export async function spawnProxy(
  kind: ProxyKind,
  config: object,
  env: Readonly<Record<string, string>> = {},
): Promise<ProxyProcess> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-proxy-"));
  const path = join(folder, "bootstrap.json");
  const addressPath = join(folder, "admin-address");
  await writeFile(path, JSON.stringify(config, null, 2));
  const args = ["-c", path, "--admin-address-path", addressPath, "--concurrency", "1", "--log-level", "info"];
  const [command = "", ...rest] =
    kind === "Envoy"
      ? [envoyPath, ...args, "--use-dynamic-base-id", "--drain-time-s", "1"]
      : [process.execPath, join(root, "server/cli/main.ts"), "sidecar", ...args, "--drain-time-s", "5"];
  const child = spawn(command, rest, { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let logs = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      logs = (logs + chunk).slice(-100_000);
    });
  }
  const exited = new Promise<number | null>((done) => child.once("exit", (code) => done(code)));
  return {
    logs: () => logs,
    exited,
    signal: (name) => child.kill(name),
    async admin(path, method = "GET") {
      const address = (await readFile(addressPath, "utf8")).trim();
      const response = await fetch(`http://${address}${path}`, { method });
      return { status: response.status, body: await response.text() };
    },
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL");
      await exited;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Rejects at once when the process ends. */
export async function untilReady(proxy: ProxyProcess): Promise<void> {
  let ended: number | null | undefined;
  void proxy.exited.then((code) => {
    ended = code;
  });
  await until(async () => {
    if (ended !== undefined) return;
    const { status, body } = await proxy.admin("/ready");
    if (status !== 200) throw new Error(body);
  }, 90_000);
  if (ended !== undefined) throw new Error(`ended with code ${ended}`);
}
