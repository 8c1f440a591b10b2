import { execFileSync, spawnSync } from "node:child_process";
import {
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
  statSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { get } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Graph } from "../../server/contract/graph.ts";
import { askDashboard } from "../mesh.ts";
import type { CampaignMesh } from "./campaign-mesh.ts";

/** One thing that is done to a running mesh, and what must be true of it. */
export interface Fault {
  /** The part that it is done to. */
  part: string;
  what: string;
  /** Returns what ends it, if it does not end by itself. */
  begin(mesh: CampaignMesh): Promise<(() => void) | undefined> | (() => void) | undefined;
  /** How long it lasts before it is ended. */
  lastsMs?: number;
  /**
   * Until so many seconds after it began requests may fail: those that this very process had in hand, and what came until it was back. 0: not one. Ample,
   * for machines slower than those of the table.
   */
  mayFailForSec: number;
  /** Every request of the load is in the telemetry afterwards, once. */
  countsAll?: boolean;
  /** It is over only when the part has another process. */
  newProcess?: boolean;
  /** The part lives through it. */
  keepsProcess?: boolean;
  /** The store is gone: writes must be refused rather than acknowledged and lost, and nothing recovers until a person acts. */
  refusesWrites?: boolean;
  /** What else is wrong once it is over; empty: nothing. */
  check?(mesh: CampaignMesh, requestsPerSecond: number): Promise<string[]>;
  /** What the status must have said in between. */
  shows?: string;
  /** Asked at the end of its time, whether it had an effect at all. */
  feels?(mesh: CampaignMesh): Promise<boolean>;
  /** Why it can't be tried here. */
  skip?(mesh: CampaignMesh): string | undefined;
}

const planes = ["control-plane", "collector", "dashboard"];
const carriers = ["istio-ingressgateway", "reviews-v2 proxy", "ratings-v1"];

const kill = (part: string): Fault => ({
  part,
  what: "killed",
  begin: async (mesh) => void process.kill(await mesh.pidOf(part), "SIGKILL"),
  mayFailForSec: planes.includes(part) ? 0 : 15,
  countsAll: part === "collector",
  newProcess: true,
});

const freeze = (part: string): Fault => ({
  part,
  what: "frozen (SIGSTOP)",
  begin: async (mesh) => void process.kill(await mesh.pidOf(part), "SIGSTOP"),
  // Until it is found hung and started again, and the last request that waited for it has given up.
  mayFailForSec: planes.includes(part) ? 0 : 75,
  countsAll: part === "collector",
  newProcess: true,
  shows: "unresponsive",
});

const starve = (part: string): Fault => ({
  part,
  what: "no free descriptor for 10 s",
  begin: async (mesh) => {
    const pid = await mesh.pidOf(part);
    const limit = (soft: number) => execFileSync("prlimit", ["--pid", String(pid), `--nofile=${soft}:`]);
    const before = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))?.[1];
    // The limit is one of numbers, and the lowest that is free comes next. What it closes meanwhile is free again, so this is done again and again.
    const starveNow = () => limit(lowestFree(pid));
    starveNow();
    const again = setInterval(() => {
      if (existsSync(`/proc/${pid}`)) starveNow();
    }, 100);
    return () => {
      clearInterval(again);
      if (existsSync(`/proc/${pid}`)) limit(Number(before));
    };
  },
  keepsProcess: true,
  lastsMs: 10_000,
  mayFailForSec: planes.includes(part) ? 0 : 25,
  feels: (mesh) => takesNoConnection(mesh, part),
  skip: () => (spawnSync("prlimit", ["--version"]).status === 0 ? undefined : "no prlimit"),
});

function lowestFree(pid: number): number {
  const open = new Set(readdirSync(`/proc/${pid}/fd`).map(Number));
  let free = 0;
  while (open.has(free)) free++;
  return free;
}

/** Asked while the fault lasts: the part's own listener closes what it cannot take, or lets it wait. */
async function takesNoConnection(mesh: CampaignMesh, part: string): Promise<boolean> {
  const address = (await mesh.status()).parts.find(({ name }) => name === part)?.address ?? "";
  const { hostname: host, port } = new URL(address.includes("://") ? address : `http://${address}`);
  return new Promise((resolve) => {
    const call = get({ host, port, path: "/", agent: false, timeout: 2_000 }, (response) => {
      response.resume();
      resolve(false);
    });
    call.once("timeout", () => call.destroy(new Error("no answer")));
    call.once("error", () => resolve(true));
  });
}

/** A log of the database that is there already is written over, so that a store may not feel it at once. */
export const fullDiskIs = "no space left for 15 s";

const fullDisk: Fault = {
  part: "control-plane",
  what: fullDiskIs,
  begin: (mesh) => {
    const ballast = join(mesh.data, "ballast");
    const file = openSync(ballast, "w");
    const block = Buffer.alloc(4 * 1024, 1);
    try {
      while (statfsSync(mesh.data).bavail > 0) writeSync(file, block);
    } catch {
      // ENOSPC: that was the aim.
    } finally {
      closeSync(file);
    }
    return () => rmSync(ballast);
  },
  lastsMs: 15_000,
  mayFailForSec: 0,
  shows: "unready",
  skip: (mesh) => (mesh.ownDisk ? undefined : "no right to mount a small file system"),
};

const clock = (step: string): Fault => ({
  part: "clock",
  what: `stepped by ${step}`,
  begin: (mesh) => {
    mesh.setClock(step);
    return undefined;
  },
  lastsMs: 20_000,
  mayFailForSec: 0,
  check: graphIsTrue,
  skip: (mesh) => (mesh.hasClock ? undefined : "no libfaketime"),
});

/** Faults that a mesh recovers from by itself, tried one after the other on one mesh. */
export const passing: readonly Fault[] = [
  ...[...planes, ...carriers].map(kill),
  ...[...planes, ...carriers].map(freeze),
  ...["control-plane", "collector", "istio-ingressgateway", "reviews-v2 proxy"].map(starve),
  fullDisk,
  clock("+1h"),
  clock("-1h"),
];

type Spoil = readonly [what: string, spoil: (path: string) => void];
const spoils: readonly Spoil[] = [
  ["deleted", (path) => rmSync(path, { force: true })],
  ["emptied", (path) => truncateSync(path, 0)],
  ["damaged", damage],
];

/** Brings what the log holds into the file: what is damaged there would be mended out of the log otherwise. */
function checkpoint(path: string): void {
  const database = new DatabaseSync(path);
  try {
    database.exec("PRAGMA busy_timeout = 5000");
    database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    database.close();
  }
}

/** Everything behind the first page, in place. */
function damage(path: string): void {
  const { size } = statSync(path);
  const file = openSync(path, "r+");
  for (let at = 4096; at < size; at += 4096) writeSync(file, Buffer.alloc(512, 0x5a), 0, 512, at);
  closeSync(file);
}

/** A database with its write-ahead log. `andKilled`: its writer ends as well, so that the next one finds what is left. */
const spoilDatabase = (part: string, file: string, [what, spoil]: Spoil, andKilled: boolean): Fault => ({
  part,
  what: `${file} ${what}${andKilled ? ", and killed" : ""}`,
  begin: async (mesh) => {
    const path = join(mesh.data, file);
    const pid = await mesh.pidOf(part);
    if (what === "damaged") checkpoint(path);
    else for (const suffix of ["-wal", "-shm"]) rmSync(path + suffix, { force: true });
    spoil(path);
    if (andKilled) process.kill(pid, "SIGKILL");
    return undefined;
  },
  lastsMs: 8_000,
  mayFailForSec: 0,
  ...(file === "config.db" && { refusesWrites: true }),
  ...(file !== "config.db" && andKilled && { newProcess: true }),
});

const scratch: Fault = {
  part: "istio-ingressgateway",
  what: "logs, lock and bootstrap files deleted, and killed",
  begin: async (mesh) => {
    const run = join(mesh.data, "run");
    const files = [...readdirSync(run), "../limpid.lock"].map((name) => join(run, name));
    const saved = files.filter((path) => path.endsWith(".json"));
    for (const path of saved) copyFileSync(path, `${path}.saved`);
    for (const path of files.filter((path) => /\.(json|lock)$/.test(path))) rmSync(path);
    rmSync(join(mesh.data, "logs"), { recursive: true });
    process.kill(await mesh.pidOf("istio-ingressgateway"), "SIGKILL");
    return () => {
      for (const path of saved) if (!existsSync(path)) copyFileSync(`${path}.saved`, path);
    };
  },
  lastsMs: 5_000,
  mayFailForSec: 20,
  newProcess: true,
};

/** Faults that may need a person afterwards: each on a mesh of its own. */
export const lasting: readonly Fault[] = [
  ...spoils.flatMap((spoil) =>
    [false, true].map((killed) => spoilDatabase("control-plane", "config.db", spoil, killed)),
  ),
  ...spoils.flatMap((spoil) =>
    [false, true].map((killed) => spoilDatabase("collector", "telemetry.db", spoil, killed)),
  ),
  scratch,
];

/** What the graph says of the last ten seconds is within a third of what was sent. */
async function graphIsTrue(mesh: CampaignMesh, requestsPerSecond: number): Promise<string[]> {
  const answer = await askDashboard(`http://127.0.0.1:${mesh.ports.dashboard}`, mesh.data, "/api/graph?window=10");
  const { edges } = Graph.parse(await answer.json());
  const shown = edges
    .filter(({ source, target }) => source.includes("ingressgateway") && target.includes("productpage"))
    .reduce((sum, { signals }) => sum + signals.requestRate, 0);
  if (Math.abs(shown - requestsPerSecond) < requestsPerSecond / 3) return [];
  return [`the graph shows ${shown.toFixed(1)} requests/s of ${requestsPerSecond.toFixed(1)}`];
}
