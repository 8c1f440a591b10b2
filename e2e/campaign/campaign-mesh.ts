import { type ChildProcess, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FleetStatus } from "../../server/fleet/fleet-api.ts";
import { type MeshPorts, meshPorts } from "../../server/fleet/ports.ts";
import { eventually, randomOffset, runLimpid, statusAt } from "../mesh.ts";
import { byLibrary, faketime } from "../stepped-clock.ts";

/** A mesh on a small disk of its own and with a clock that can be set, as far as this machine allows. */
export interface CampaignMesh {
  readonly data: string;
  readonly portOffset: number;
  readonly ports: MeshPorts;
  readonly ownDisk: boolean;
  readonly hasClock: boolean;
  status(): Promise<FleetStatus>;
  pidOf(part: string): Promise<number>;
  /** As libfaketime takes it, such as `+1h`; `+0` is the true time. */
  setClock(step: string): void;
  output(): string;
  /** SIGKILL to the supervisor. */
  killSupervisor(): void;
  /** `limpid up` once more, in the same folder and on the same ports. */
  startAgain(): Promise<void>;
  close(): Promise<void>;
}

const diskSize = "96m";

export async function openMesh(): Promise<CampaignMesh> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-campaign-"));
  const data = join(folder, "data");
  mkdirSync(data);
  const ownDisk =
    process.platform === "linux" &&
    spawnSync("mount", ["-t", "tmpfs", "-o", `size=${diskSize}`, "tmpfs", data]).status === 0;
  const library = faketime();
  const clockFile = join(folder, "clock");
  const setClock = (step: string) => writeFileSync(clockFile, `${step}\n`);
  setClock("+0");
  const env: NodeJS.ProcessEnv = library ? { ...process.env, ...byLibrary(library, clockFile) } : process.env;
  const portOffset = randomOffset();
  let supervisor: ChildProcess | undefined;
  let output = "";
  const start = async (): Promise<void> => {
    const child = runLimpid(["up", "--port-offset", String(portOffset), "--data", data, "--rate", "0"], env);
    supervisor = child;
    const from = output.length;
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on("data", (chunk) => {
        output += chunk;
      });
    }
    await eventually(
      () => {
        if (child.exitCode !== null) throw new Error(output.slice(from));
        return output.slice(from).includes("Ctrl-C stops them all");
      },
      90_000,
      "the mesh is up",
    );
  };
  const close = async (): Promise<void> => {
    const child = supervisor;
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGINT");
      await ended;
    }
    if (ownDisk) spawnSync("umount", ["-l", data]);
    rmSync(folder, { recursive: true, force: true });
  };
  await start().catch(async (error: unknown) => {
    await close();
    throw error;
  });
  return {
    data,
    portOffset,
    ports: meshPorts(portOffset),
    ownDisk,
    hasClock: library !== undefined,
    status: () => statusAt(portOffset),
    async pidOf(part) {
      const pid = (await statusAt(portOffset)).parts.find(({ name }) => name === part)?.pid;
      if (!pid) throw new Error(`${part} does not run`);
      return pid;
    },
    setClock,
    output: () => output,
    killSupervisor: () => void supervisor?.kill("SIGKILL"),
    startAgain: start,
    close,
  };
}
