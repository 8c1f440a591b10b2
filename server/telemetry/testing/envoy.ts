import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const binary = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../../.build/envoy/envoy/_bin/envoy");

/** Undefined when Envoy can be run; else why not. In CI its absence is a failure, not a skip. */
export const envoyMissing: string | undefined =
  existsSync(binary) || process.env.CI ? undefined : `no Envoy at ${binary}; set LIMPID_ENVOY`;

export interface RunningEnvoy {
  /** `host:port` of a listener by its name. */
  listener(name: string): Promise<string>;
  stop(): Promise<void>;
}

/** Starts Envoy on a bootstrap (JSON) whose listeners and admin bind port 0, and waits until it is live. */
export async function startEnvoy(bootstrap: object): Promise<RunningEnvoy> {
  const folder = await mkdtemp(join(tmpdir(), "limpid-envoy-"));
  const adminFile = join(folder, "admin");
  await writeFile(join(folder, "bootstrap.json"), JSON.stringify(bootstrap));
  const args = ["-c", join(folder, "bootstrap.json"), "--admin-address-path", adminFile, "--use-dynamic-base-id"];
  const child = spawn(binary, [...args, "--concurrency", "1", "-l", "warn"], { stdio: ["ignore", "ignore", "pipe"] });
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-8000);
  });
  let failed: Error | undefined;
  child.once("error", (error) => {
    failed = error; // such as a binary that is not there
  });
  const stop = async () => {
    await kill(child);
    await rm(folder, { recursive: true, force: true });
  };
  const admin = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://${await readFile(adminFile, "utf8")}${path}`);
    return response.json();
  };
  try {
    await until(async () => {
      if (failed !== undefined) throw failed;
      if (child.exitCode !== null) throw new Error(`Envoy exited with ${child.exitCode}:\n${log}`);
      const info = await admin("/server_info").catch(() => undefined);
      return (info as { state?: string } | undefined)?.state === "LIVE";
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async listener(name) {
      const { listener_statuses: statuses } = (await admin("/listeners?format=json")) as ListenerStatuses;
      const socket = statuses.find((status) => status.name === name)?.local_address.socket_address;
      if (socket === undefined) throw new Error(`Envoy has no listener ${name}`);
      return `${socket.address}:${socket.port_value}`;
    },
    stop,
  };
}

interface ListenerStatuses {
  listener_statuses: { name: string; local_address: { socket_address: { address: string; port_value: number } } }[];
}

/** Polls a condition; rejects after the deadline, and at once when the condition throws. */
export async function until(condition: () => boolean | Promise<boolean>, deadlineMs = 20_000): Promise<void> {
  for (const end = Date.now() + deadlineMs; ; ) {
    if (await condition()) return;
    if (Date.now() > end) throw new Error(`not true within ${deadlineMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await gone;
}
