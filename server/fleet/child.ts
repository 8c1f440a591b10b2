import { type ChildProcess, spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { getSystemErrorName } from "node:util";
import { onSuccession, receiveSockets, say, sendSockets, succeedsVariable } from "../lib/succession.ts";
import { type ChildEnd, ChildEnds } from "./child-ends.ts";
import { defaultLiveness, Liveness, type LivenessPolicy, type ProbeResult } from "./liveness.ts";
import { yieldTo } from "./niceness.ts";
import { RotatingLog } from "./rotating-log.ts";
import type { Undertaker } from "./undertaker.ts";

/** One supervised process: kept running until stopped, restarted with back-off when it dies or hangs. */
export interface ChildSpec {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  /** Of each start: what comes behind those arguments, and over that environment. */
  fresh?(): { args: readonly string[]; env: Readonly<Record<string, string>> };
  /** Default: this process' own. */
  cwd?: string;
  logFile: string;
  /** How it is; asked again and again for as long as it runs. */
  probe(signal: AbortSignal): Promise<ProbeResult>;
  /** How much more than the others it may wait for a processor, as `nice` counts it, of itself and of what it starts; default 0. */
  niceness?: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  graceMs?: number;
  /** It knows succession.ts: a planned restart starts the successor with the old one's listening sockets, and ends the old one when the successor serves. */
  succeeds?: boolean;
  /**
   * It hands over to its successor by itself, as Envoy's hot restart does: the successor takes its sockets, and ends it when it has drained. Arguments
   * for the run of that number in such a line; 0 begins one.
   */
  handsOver?(epoch: number): readonly string[];
  liveness?: Partial<LivenessPolicy>;
}

/**
 * `unready`: it answers that it can't serve now. `unresponsive`: it doesn't answer; it is killed and started again when that lasts.
 * `restarting`: it has ended, and will be started. `stopped`: for good.
 */
export type ChildState = "starting" | "ready" | "unready" | "unresponsive" | "restarting" | "stopped";

export interface Child {
  readonly name: string;
  readonly state: ChildState;
  readonly pid: number | undefined;
  /** Unplanned ones. */
  readonly restarts: number;
  /** Unix milliseconds of the last start. */
  readonly startedAt: number;
  readonly lastExit: string | undefined;
  /** The last times that it was started again, oldest first. */
  readonly ends: readonly ChildEnd[];
  /** Resolves when it serves for the first time; rejects with its last log lines when it does not within `timeoutMs`. */
  whenReady(timeoutMs: number): Promise<void>;
  /** A planned restart. Resolves when the new process has been started and the old one has ended. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** EX_CONFIG of sysexits.h: our own processes end with it when starting them again can't help, such as on a damaged database. */
export const hopelessExitCode = 78;

/** A part that said so: whoever starts the mesh ends with the same code. */
export class HopelessPartError extends Error {}

const backoffMs = (failures: number): number => Math.min(200 * 2 ** failures, 10_000);
const steadyMs = 30_000;
const successorMs = 30_000;
const startProbeMs = 40;
const unwellProbeMs = 1_000;
/** A loop that is blocked for longer is not worth waiting for. */
const handOverMs = 10_000;

/** One run of the process. */
interface Run {
  /** How often it was handed over before. */
  readonly epoch: number;
  readonly process: ChildProcess;
  readonly ended: Promise<void>;
  /** True when it has said that it serves; false when it ended before. Only of those that succeed each other. */
  readonly served: Promise<boolean>;
  readonly probing: AbortController;
  readonly startedMs: number;
  /** Of the last answer to a probe, `performance.now()`. */
  answeredMs: number;
  hung: boolean;
}

export function startChild(
  spec: ChildSpec,
  onEvent: (message: string) => void,
  undertaker?: Pick<Undertaker, "watch" | "forget">,
): Child {
  const policy = { ...defaultLiveness, ...spec.liveness };
  let state: ChildState = "starting";
  let current: Run | undefined;
  /** Every process of it that has not ended. */
  const runs = new Set<Run>();
  let restarts = 0;
  let failures = 0;
  let startedAt = 0;
  let lastExit: string | undefined;
  const ends = new ChildEnds();
  let timer: NodeJS.Timeout | undefined;
  let planned: Promise<void> | undefined;
  let tail = "";
  let wasReady = false;
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  const log = new RotatingLog(spec.logFile);
  adopt(launch());

  function launch(epoch = 0, extraEnv: Record<string, string> = {}): Run {
    // The open stdin is the leash: our own processes end when it closes, even if this one is killed. See server/cli/leash.ts.
    const fresh = spec.fresh?.();
    const child = spawn(spec.command, [...spec.args, ...(fresh?.args ?? []), ...(spec.handsOver?.(epoch) ?? [])], {
      cwd: spec.cwd,
      env: { ...spec.env, ...fresh?.env, ...extraEnv },
      stdio: ["pipe", "pipe", "pipe", ...(spec.succeeds ? ["ipc" as const] : [])],
      detached: true,
    });
    if (spec.niceness !== undefined) yieldTo(child.pid, spec.niceness);
    if (child.pid !== undefined) undertaker?.watch(child.pid);
    const keep = (chunk: Buffer) => {
      log.write(chunk);
      tail = (tail + chunk.toString("utf8")).slice(-2000);
    };
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.stdin?.on("error", () => {});
    child.on("error", (error) => {
      tail = `${tail}${error.message}\n`;
    });
    const run: Run = {
      epoch,
      process: child,
      ended: new Promise((resolve) => child.once("close", () => resolve())),
      served: new Promise((resolve) => {
        onSuccession(child, ({ succession }) => {
          if (succession === "serving") resolve(true);
        });
        child.once("close", () => resolve(false));
      }),
      probing: new AbortController(),
      startedMs: performance.now(),
      answeredMs: performance.now(),
      hung: false,
    };
    runs.add(run);
    child.on("close", (code, signal) => exited(run, signal ?? describeExit(code ?? 0), code === hopelessExitCode));
    return run;
  }

  /** From now on this run is the part. */
  function adopt(run: Run): void {
    current = run;
    startedAt = Date.now();
    void watch(run);
  }

  async function watch(run: Run): Promise<void> {
    const { signal } = run.probing;
    const liveness = new Liveness(policy, performance.now());
    let waitMs = 0;
    while (!signal.aborted) {
      const due = performance.now() + waitMs;
      await sleep(waitMs, undefined, { signal }).catch(() => undefined);
      if (signal.aborted) return;
      const lateMs = performance.now() - due;
      const result = await spec.probe(signal).catch((): ProbeResult => "silent");
      if (signal.aborted) return;
      const now = performance.now();
      if (result !== "silent") run.answeredMs = now;
      const verdict = liveness.record(result, now, lateMs);
      if (verdict === "hung") return endHung(run);
      show(verdict);
      const starts = state === "starting" || state === "restarting";
      waitMs = starts ? startProbeMs : state === "ready" ? policy.everyMs : Math.min(policy.everyMs, unwellProbeMs);
    }
  }

  function show(next: "ready" | "unready" | "unresponsive"): void {
    const before = state;
    // While two of it share their sockets, the old one answers some probes, and says that it drains.
    if (planned && next !== "ready") return;
    // What has not served since its start is still about to.
    if (before === "starting" || before === "restarting") {
      if (next !== "ready") return;
      ends.served();
      if (restarts > 0) onEvent(`${spec.name} is back, pid ${current?.process.pid}`);
    } else if (before !== next) {
      onEvent(`${spec.name} (pid ${current?.process.pid}) ${changes[next]}`);
    }
    state = next;
    if (next !== "ready") return;
    wasReady = true;
    for (const { resolve } of waiting.splice(0)) resolve();
  }

  /** It may be stopped, or its loop blocked: nothing but SIGKILL reaches such a process. */
  function endHung(run: Run): void {
    run.hung = true;
    const seconds = Math.round((performance.now() - run.answeredMs) / 1000);
    onEvent(`${spec.name} has given no answer for ${seconds} s; pid ${run.process.pid} is killed`);
    run.process.kill("SIGKILL");
  }

  function exited(run: Run, how: string, hopeless: boolean): void {
    run.probing.abort();
    runs.delete(run);
    if (run.process.pid !== undefined) undertaker?.forget(run.process.pid);
    if (run !== current) return;
    current = undefined;
    lastExit = run.hung ? `hung, ${how}` : how;
    if (state === "stopped" || planned) return;
    if (hopeless && !wasReady) {
      state = "stopped";
      for (const { reject } of waiting.splice(0))
        reject(new HopelessPartError(`${spec.name} can't start. ${lastWords()}`));
      return;
    }
    // Of a hung one only the time counts in which it answered.
    const steady = (run.hung ? run.answeredMs : performance.now()) - run.startedMs > steadyMs;
    failures = steady ? 0 : failures + 1;
    const delay = backoffMs(failures - 1);
    onEvent(`${spec.name} ended (${lastExit}); restarting in ${delay} ms; its log: ${spec.logFile}`);
    ends.note(run.hung ? "hung" : "ended", how);
    state = "restarting";
    restarts++;
    timer = setTimeout(() => adopt(launch()), delay);
  }

  const lastWords = () => `Its last words:\n${tail.trim() || "(none)"}`;

  async function end(run: Run, ask = () => run.process.kill("SIGTERM")): Promise<void> {
    const kill = setTimeout(() => run.process.kill("SIGKILL"), spec.graceMs ?? 5000);
    ask();
    await run.ended;
    clearTimeout(kill);
  }

  /** The successor serves on the same sockets before the old one drains, so that nobody meets a closed port. */
  async function succeed(old: Run): Promise<void> {
    const received = receiveSockets(old.process, handOverMs);
    say(old.process, { succession: "hand over" });
    const inheritance = await received;
    if (state === "stopped") {
      for (const { handle } of inheritance?.sockets ?? []) handle.close();
      return;
    }
    if (inheritance === undefined) {
      onEvent(`${spec.name} is started anew: it did not hand its sockets over`);
      await startAnew(old);
      return;
    }
    const successor = launch(0, { [succeedsVariable]: "1" });
    sendSockets(successor.process, inheritance, false);
    const served = await Promise.race([successor.served, late()]);
    if ((state as ChildState) === "stopped") return;
    if (!served) {
      onEvent(`${spec.name} goes on as it was: its successor did not come up. ${lastWords()}`);
      await end(successor);
      if (!current) adopt(launch());
      return;
    }
    old.probing.abort();
    adopt(successor);
    onSuccession(old.process, (message) => {
      if (message.succession === "counts") say(successor.process, message);
    });
    const giveWay = () => say(old.process, { succession: "give way" }) || old.process.kill("SIGTERM");
    if (runs.has(old)) await end(old, giveWay);
  }

  async function startAnew(old: Run): Promise<void> {
    old.probing.abort();
    state = "starting";
    if (runs.has(old)) await end(old);
    if ((state as ChildState) !== "stopped") adopt(launch());
  }

  /** That the old one has ended says that the successor serves. */
  async function handOver(old: Run): Promise<void> {
    const successor = launch(old.epoch + 1);
    const ends = [old.ended.then(() => true), successor.ended.then(() => false), late()];
    const taken = await Promise.race(ends);
    if (state === "stopped") return;
    old.probing.abort();
    if (taken && runs.has(successor)) {
      adopt(successor);
      return;
    }
    onEvent(`${spec.name} is started anew: its successor did not take over. ${lastWords()}`);
    await Promise.all([old, successor].filter((run) => runs.has(run)).map((run) => end(run)));
    if ((state as ChildState) !== "stopped") adopt(launch());
  }

  const late = () => new Promise<boolean>((resolve) => setTimeout(resolve, successorMs, false).unref());

  async function replace(): Promise<void> {
    const old = current;
    if (!old) return; // between two runs: the next start is due anyway
    if (spec.handsOver) return handOver(old);
    if (spec.succeeds) return succeed(old);
    await startAnew(old);
  }

  async function replacePlanned(): Promise<void> {
    if (current) ends.note("planned", null);
    try {
      await replace();
    } finally {
      planned = undefined;
      // A successor serves by now; what is started anew is told when it does.
      if (state === "ready") ends.served();
    }
  }

  return {
    name: spec.name,
    get state() {
      return state;
    },
    get pid() {
      return current?.process.pid;
    },
    get restarts() {
      return restarts;
    },
    get startedAt() {
      return startedAt;
    },
    get lastExit() {
      return lastExit;
    },
    get ends() {
      return ends.all;
    },
    whenReady: (timeoutMs) =>
      new Promise((resolve, reject) => {
        if (state === "ready") return resolve();
        if (state === "stopped") return reject(new HopelessPartError(`${spec.name} can't start. ${lastWords()}`));
        const deadline = setTimeout(
          () => reject(new Error(`${spec.name} did not come up within ${timeoutMs / 1000} s. ${lastWords()}`)),
          timeoutMs,
        );
        waiting.push({
          resolve: () => {
            clearTimeout(deadline);
            resolve();
          },
          reject: (error) => {
            clearTimeout(deadline);
            reject(error);
          },
        });
      }),
    restart() {
      if (state === "stopped") return Promise.resolve();
      planned ??= replacePlanned();
      return planned;
    },
    async stop() {
      state = "stopped";
      clearTimeout(timer);
      for (const run of runs) run.probing.abort();
      await Promise.all([...runs].map((run) => end(run)));
      log.close();
    },
  };
}

const changes = {
  ready: "answers again, and serves",
  unready: "answers, but says that it can't serve",
  unresponsive: "does not answer",
} as const;

/** A process that could not even be started, for want of a descriptor say, has the system's error for its code, below zero. */
const describeExit = (code: number): string =>
  code < 0 ? `it could not be started: ${getSystemErrorName(code)}` : `code ${code}`;
