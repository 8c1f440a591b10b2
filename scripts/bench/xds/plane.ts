import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { meshPorts } from "../../../server/fleet/ports.ts";
import { cpuSeconds, wait } from "../process-usage.ts";

export interface Plane {
  target: string;
  port: number;
  /** Makes an object what it says; `ms`: until that was answered. What is there is asked for before, when it is put for the first time. */
  put(object: ConfigText): Promise<{ revision: number; ms: number }>;
  /** When every proxy concerned has answered. */
  pushed(revision: number): Promise<{ ms: number; proxies: number }>;
  memoryMb(): { now: number; peak: number };
  /** Of its processor time so far. */
  cpuSeconds(): number;
  stop(): Promise<void>;
}

/** A JSON text of one config object of the namespace `default`. */
export type ConfigText = string;

const portOffset = Number(process.env.LIMPID_BENCH_PORT_OFFSET ?? 9_300);

export const planeFlags = ["--v8-pool-size=1", ...(process.env.LIMPID_BENCH_NODE_FLAGS?.split(" ") ?? [])];

/** The control plane as `limpid control-plane` starts it, on a data folder that is there. */
export async function startPlane(data: string): Promise<Plane> {
  const ports = meshPorts(portOffset);
  const args = ["server/cli/main.ts", "control-plane", "--data", data, "--port-offset", String(portOffset)];
  const child = spawn(process.execPath, [...planeFlags, ...args], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, LIMPID_LOG_LEVEL: "error" },
  });
  const api = `http://127.0.0.1:${ports.configApi}`;
  while (!(await isReady(api))) {
    if (child.exitCode !== null) throw new Error("the control plane did not start");
    await wait(50);
  }
  const versions = new Map<string, string>();
  return {
    target: `127.0.0.1:${ports.xds}`,
    port: ports.xds,
    put: (object) => put(api, versions, object),
    pushed: (revision) => pushed(api, revision),
    memoryMb: () => memoryMb(child),
    cpuSeconds: () => cpuSeconds(child.pid ?? 0),
    stop: () => stop(child),
  };
}

const isReady = (api: string): Promise<boolean> =>
  fetch(`${api}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  );

interface Stored {
  metadata?: { resourceVersion?: string };
}

async function put(
  api: string,
  versions: Map<string, string>,
  text: ConfigText,
): Promise<{ revision: number; ms: number }> {
  const object = JSON.parse(text) as {
    apiVersion: string;
    kind: string;
    metadata: { name: string; namespace: string };
  };
  const { apiVersion, kind, metadata } = object;
  const plural = kind === "ServiceEntry" ? "serviceentries" : `${kind.toLowerCase()}s`;
  const url = `${api}/apis/${apiVersion}/namespaces/${metadata.namespace}/${plural}/${metadata.name}`;
  const resourceVersion = versions.get(url) ?? ((await (await fetch(url)).json()) as Stored).metadata?.resourceVersion;
  const body = JSON.stringify({ ...object, metadata: { ...metadata, resourceVersion } });
  const started = performance.now();
  const response = await fetch(url, { method: "PUT", headers: { "content-type": "application/json" }, body });
  const answer = (await response.json()) as Stored;
  const ms = performance.now() - started;
  if (!response.ok) throw new Error(`PUT ${url}: ${response.status} ${JSON.stringify(answer)}`);
  const version = answer.metadata?.resourceVersion ?? "";
  versions.set(url, version);
  return { revision: Number(version), ms };
}

async function pushed(api: string, revision: number): Promise<{ ms: number; proxies: number }> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await wait(100)) {
    const answer = await fetch(`${api}/limpid/v1/pushes/${revision}`);
    // It is known when its turn comes.
    if (!answer.ok) continue;
    const push = (await answer.json()) as { complete?: boolean; ms?: number; proxies?: unknown[] };
    if (push.complete) return { ms: push.ms ?? Number.NaN, proxies: push.proxies?.length ?? 0 };
  }
  throw new Error(`after a minute push ${revision} is not complete`);
}

export function memoryMb({ pid }: ChildProcess): { now: number; peak: number } {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const kb = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
  return { now: Math.round(kb("VmRSS") / 1024), peak: Math.round(kb("VmHWM") / 1024) };
}

export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const exited = new Promise((done) => child.once("exit", done));
  child.kill("SIGTERM");
  await exited;
}
