import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JsonObject } from "@bufbuild/protobuf";
import { Fixtures, listenerJson, type PlaneOptions } from "../test-plane.ts";

const binary = process.env.LIMPID_ENVOY ?? resolve(import.meta.dirname, "../../../.build/envoy/envoy/_bin/envoy");
/** No Envoy on this machine, where that is allowed. */
export const envoyMissing = !existsSync(binary);
if (envoyMissing && process.env.CI) throw new Error(`no Envoy at ${binary}`);

/** A real Envoy with the configuration of a test plane. */
export class RealEnvoy {
  readonly port: number;
  readonly adminPort: number;
  private readonly child: ChildProcess;
  private readonly folder: string;

  private constructor(child: ChildProcess, folder: string, port: number, adminPort: number) {
    this.child = child;
    this.folder = folder;
    this.port = port;
    this.adminPort = adminPort;
  }

  /** @param more of the bootstrap */
  static async start(options: PlaneOptions, more: JsonObject = {}): Promise<RealEnvoy> {
    // Somebody else may take a port before Envoy does.
    for (let tries = 1; ; tries++) {
      const envoy = await RealEnvoy.tryToStart(options, more);
      if (envoy !== undefined) return envoy;
      if (tries === 5) throw new Error("Envoy does not start");
    }
  }

  private static async tryToStart(options: PlaneOptions, more: JsonObject): Promise<RealEnvoy | undefined> {
    const [port = 0, adminPort = 0] = await freePorts();
    const folder = mkdtempSync(join(tmpdir(), "limpid-envoy-"));
    const listener = listenerJson({ ...options, manager: { access_log: [], ...options.manager } });
    listener.address = { socket_address: { address: "127.0.0.1", port_value: port } };
    const path = join(folder, "envoy.json");
    const admin = { address: { socket_address: { address: "127.0.0.1", port_value: adminPort } } };
    const static_resources = { listeners: [listener], clusters: options.clusters ?? [] };
    writeFileSync(path, JSON.stringify({ admin, static_resources, ...more }));
    const args = ["-c", path, "--concurrency", "1", "-l", "error", "--use-dynamic-base-id"];
    // Whoever reads a log does not wait ten seconds for it.
    args.push("--file-flush-interval-msec", "20");
    const envoy = new RealEnvoy(spawn(binary, args, { stdio: "inherit" }), folder, port, adminPort);
    if (await envoy.ready()) return envoy;
    envoy.close();
    return undefined;
  }

  async admin(path: string): Promise<string> {
    const answer = await fetch(`http://127.0.0.1:${this.adminPort}${path}`);
    return answer.text();
  }

  /** 0 where nothing was counted. */
  async stat(name: string): Promise<number> {
    const text = await this.admin(`/stats?filter=^${name.replaceAll(".", "\\.")}$`);
    return Number(/: (\d+)/.exec(text)?.[1] ?? 0);
  }

  close(): void {
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async ready(): Promise<boolean> {
    const deadline = Date.now() + 60_000;
    while (Date.now() < deadline && this.child.exitCode === null) {
      if ((await this.admin("/ready").catch(() => "")).startsWith("LIVE")) return true;
      await new Promise((done) => setTimeout(done, 50));
    }
    return false;
  }
}

async function freePorts(): Promise<number[]> {
  const probe = new Fixtures();
  const ports = [await probe.tcp(() => {}), await probe.tcp(() => {})];
  probe.close();
  return ports;
}
