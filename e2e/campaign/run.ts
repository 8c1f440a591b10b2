import { join } from "node:path";
import { openSqliteTelemetryReader } from "../../server/store/telemetry/sqlite-reader.ts";
import { isRunning } from "../mesh.ts";
import type { CampaignMesh } from "./campaign-mesh.ts";
import { type Fault, fullDiskIs } from "./faults.ts";
import { type Counts, type Load, startLoad, storedNumber } from "./load.ts";

/** One line of the table. */
export interface Row {
  part: string;
  what: string;
  sent: number;
  failed: number;
  /** From the begin of the fault to the last failed request; 0: none failed. */
  failedForSec: number;
  mayFailForSec: number;
  /** Failures by status or error code. */
  reasons: Record<string, number>;
  acknowledged: number;
  /** Acknowledged and not there afterwards; null: the config API does not say. */
  lostWrites: number | null;
  refusedWrites: number;
  /** From the end of the fault until the part is ready, writes are taken and no request has failed for a second; null: not in time, or not expected. */
  recoverySec: number | null;
  /** What the status called the part, in order. */
  states: string[];
  /** What was not as intended; empty: all was. */
  problems: string[];
  /** Why it was not tried. */
  skipped?: string;
}

const settleMs = 1_500;
const recoveryMs = 90_000;
const quietMs = 1_000;

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Does it to a mesh under load, waits until that is over, and judges. */
export async function tryFault(mesh: CampaignMesh, fault: Fault): Promise<Row> {
  const skipped = fault.skip?.(mesh);
  if (skipped) return { ...emptyRow(fault), skipped };
  const counted = fault.countsAll ? await settledRequests(mesh) : 0;
  const load = await startLoad(mesh.ports.gateway, mesh.ports.configApi);
  const states = watchStates(mesh, fault.part);
  try {
    await wait(settleMs);
    load.reset();
    const begun = performance.now();
    const pid = await mesh.pidOf(fault.part).catch(() => 0);
    const end = await fault.begin(mesh);
    if (fault.lastsMs) await wait(fault.lastsMs);
    const isFelt = (await fault.feels?.(mesh)) ?? true;
    end?.();
    const lives = !fault.keepsProcess || (await mesh.pidOf(fault.part).catch(() => 0)) === pid;
    const recoverySec = fault.refusesWrites ? null : await recovery(mesh, fault, load, pid);
    const perSecond = (load.counts().sent * 1000) / (performance.now() - begun);
    const more = (await fault.check?.(mesh, perSecond).catch((error: Error) => [error.message])) ?? [];
    await load.stop();
    if (!isFelt) more.push("it had no effect");
    if (!lives) more.push("its process ended");
    if (fault.countsAll) more.push(...(await missingRequests(mesh, counted + load.total())));
    const row = await rowOf(mesh, fault, load, { begun, states: states.stop(), recoverySec });
    return { ...row, problems: [...problemsOf(fault, row, load.counts()), ...more] };
  } finally {
    states.stop();
    await load.stop();
  }
}

/** A supervisor that is killed while one of its parts is frozen takes all parts along, and its successor starts by itself. */
export async function trySupervisor(mesh: CampaignMesh): Promise<Row> {
  const fault = { part: "supervisor", what: "killed, with the collector frozen, and started again", mayFailForSec: 60 };
  const load = await startLoad(mesh.ports.gateway, mesh.ports.configApi);
  await wait(settleMs);
  load.reset();
  const { parts } = await mesh.status();
  const pids = parts.flatMap(({ pid }) => pid ?? []);
  process.kill(await mesh.pidOf("collector"), "SIGSTOP");
  mesh.killSupervisor();
  const started = performance.now();
  const problems: string[] = [];
  await mesh
    .startAgain()
    .catch((error: Error) => problems.push(`it did not start again: ${error.message.slice(-200)}`));
  const left = pids.filter(isRunning);
  if (left.length > 0) problems.push(`${left.length} parts of the killed one were still there`);
  const recoverySec = (performance.now() - started) / 1000;
  await wait(settleMs);
  await load.stop();
  const row = await rowOf(mesh, fault, load, { begun: started, states: [], recoverySec });
  problems.push(...failedTooLong(row));
  if ((row.lostWrites ?? 1) > 0) problems.push("acknowledged writes are lost");
  return { ...row, problems };
}

async function rowOf(
  mesh: CampaignMesh,
  fault: Pick<Fault, "part" | "what" | "mayFailForSec">,
  load: Load,
  { begun, states, recoverySec }: { begun: number; states: string[]; recoverySec: number | null },
): Promise<Row> {
  const { sent, failed, reasons, acknowledged, refusedWrites, lastFailedMs } = load.counts();
  const stored = await storedNumber(mesh.ports.configApi);
  const lostWrites = stored === undefined ? null : acknowledged.filter((value) => value > stored).length;
  return {
    ...emptyRow(fault),
    ...{ sent, failed, reasons, refusedWrites, recoverySec, states, lostWrites },
    failedForSec: failed > 0 ? (lastFailedMs - begun) / 1000 : 0,
    acknowledged: acknowledged.length,
  };
}

const emptyRow = ({ part, what, mayFailForSec }: Pick<Fault, "part" | "what" | "mayFailForSec">): Row => ({
  part,
  what,
  sent: 0,
  failed: 0,
  failedForSec: 0,
  mayFailForSec,
  reasons: {},
  acknowledged: 0,
  lostWrites: null,
  refusedWrites: 0,
  recoverySec: null,
  states: [],
  problems: [],
});

async function recovery(mesh: CampaignMesh, fault: Fault, load: Load, pid: number): Promise<number | null> {
  const ended = performance.now();
  while (performance.now() - ended < recoveryMs) {
    const { lastFailedMs, lastWriteMs } = load.counts();
    const now = performance.now();
    const status = await mesh.status().catch(() => undefined);
    const part = status?.parts.find(({ name }) => name === fault.part);
    const isNew = !fault.newProcess || part?.pid !== pid;
    const isReady = fault.part === "clock" || part?.state === "ready";
    if (isReady && isNew && lastWriteMs > ended && now - Math.max(lastFailedMs, ended) > quietMs) {
      return (now - quietMs - ended) / 1000;
    }
    await wait(100);
  }
  return null;
}

function problemsOf(fault: Fault, row: Row, { lastRefusedMs, lastWriteMs }: Readonly<Counts>): string[] {
  const problems: string[] = [];
  const { lostWrites, acknowledged, states, recoverySec } = row;
  problems.push(...failedTooLong(row));
  if (fault.refusesWrites) {
    // Acknowledged while the file was going; not more than what was on its way.
    if (lostWrites !== null && lostWrites > 0)
      problems.push(`${lostWrites} of ${acknowledged} acknowledged writes are lost`);
    const refuses = lastRefusedMs > lastWriteMs;
    if (states.at(-1) === "ready" && refuses) problems.push("the status says ready, and writes are refused");
    return problems;
  }
  if (lostWrites === null) problems.push("the config API does not answer");
  else if (lostWrites > 0) problems.push(`${lostWrites} acknowledged writes are lost`);
  if (recoverySec === null) problems.push(`no recovery within ${recoveryMs / 1000} s`);
  // What was not felt need not be shown.
  const felt = fault.what !== fullDiskIs || row.refusedWrites > 0;
  if (fault.shows && felt && !states.includes(fault.shows)) problems.push(`the status never said ${fault.shows}`);
  return problems;
}

function failedTooLong({ failed, failedForSec, mayFailForSec }: Row): string[] {
  if (failed === 0 || failedForSec <= mayFailForSec) return [];
  if (mayFailForSec === 0) return [`${failed} requests failed, of which none should`];
  return [`requests failed for ${failedForSec.toFixed(1)} s, and may for ${mayFailForSec} s`];
}

/** Requests that the gateway told of, of all times. */
async function countedRequests(mesh: CampaignMesh): Promise<number> {
  const reader = await openSqliteTelemetryReader({ path: join(mesh.data, "telemetry.db") });
  try {
    const hour = 3_600_000;
    const fromMs = Math.floor(Date.now() / hour - 3) * hour;
    const sums = await reader.sums({ fromMs, toMs: fromMs + 6 * hour, withLatency: false });
    return sums
      .filter(({ edge }) => edge.reporter === "source" && edge.source.app === "istio-ingressgateway")
      .reduce((sum, { count }) => sum + count, 0);
  } finally {
    await reader.close();
  }
}

/** Once nothing more comes of an earlier load: its last requests are stored a moment after it has ended. */
async function settledRequests(mesh: CampaignMesh): Promise<number> {
  let counted = await countedRequests(mesh);
  for (let tries = 0; tries < 10; tries++) {
    await wait(3_000);
    const before = counted;
    counted = await countedRequests(mesh);
    if (counted === before) break;
  }
  return counted;
}

/** What proxies kept arrives with their next batches; a collector that is started anew takes them a moment later. */
async function missingRequests(mesh: CampaignMesh, expected: number): Promise<string[]> {
  let counted = 0;
  for (let tries = 0; tries < 60; tries++) {
    counted = await countedRequests(mesh);
    if (counted === expected) return [];
    await wait(500);
  }
  return [`telemetry counts ${counted} requests of ${expected}`];
}

function watchStates(mesh: CampaignMesh, part: string): { stop(): string[] } {
  const states: string[] = [];
  let running = true;
  const watch = async (): Promise<void> => {
    while (running) {
      const status = await mesh.status().catch(() => undefined);
      const state = status?.parts.find(({ name }) => name === part)?.state;
      if (running && state !== undefined && state !== states.at(-1)) states.push(state);
      await wait(100);
    }
  };
  void watch();
  return {
    stop() {
      running = false;
      return states;
    },
  };
}
