import { type ChildProcess, spawn } from "node:child_process";
import { createWriteStream, renameSync, statSync, type WriteStream } from "node:fs";
import { constants, getPriority, setPriority } from "node:os";

/** One supervised process: kept running until stopped, restarted with back-off when it dies by itself. */
export interface ChildSpec {
  name: string;
  command: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  logFile: string;
  /** Resolves once the process serves; polled after each start. */
  ready(signal: AbortSignal): Promise<boolean>;
  /** How much more than the others it may wait for a processor, as `nice` counts it, of itself and of what it starts; default 0. */
  niceness?: number;
  /** Milliseconds between SIGTERM and SIGKILL. */
  graceMs?: number;
}

export type ChildState = "starting" | "ready" | "restarting" | "stopped";

export interface Child {
  readonly name: string;
  readonly state: ChildState;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Unix milliseconds of the last start. */
  readonly startedAt: number;
  readonly lastExit: string | undefined;
  /** Resolves when it serves for the first time; rejects with its last log lines when it does not within `timeoutMs`. */
  whenReady(timeoutMs: number): Promise<void>;
  restart(): void;
  stop(): Promise<void>;
}

/** EX_CONFIG of sysexits.h: our own processes end with it when starting them again can't help, such as on a damaged database. */
export const hopelessExitCode = 78;

const backoffMs = (failures: number): number => Math.min(200 * 2 ** failures, 10_000);
const steadyMs = 30_000;
const maxLogBytes = 10_000_000;

export function startChild(spec: ChildSpec, onEvent: (message: string) => void): Child {
  let state: ChildState = "starting";
  let process_: ChildProcess | undefined;
  let restarts = 0;
  let failures = 0;
  let startedAt = 0;
  let lastExit: string | undefined;
  let timer: NodeJS.Timeout | undefined;
  let probing = new AbortController();
  let tail = "";
  let wasReady = false;
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  const log = new RotatingLog(spec.logFile);
  launch();

  function launch(): void {
    startedAt = Date.now();
    // The open stdin is the leash: our own processes end when it closes, even if this one is killed. See server/cli/leash.ts.
    const child = spawn(spec.command, spec.args, { env: spec.env, stdio: ["pipe", "pipe", "pipe"], detached: true });
    process_ = child;
    if (spec.niceness !== undefined) yieldTo(child.pid, spec.niceness);
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
    child.on("close", (code, signal) => exited(signal ?? `code ${code}`, code === hopelessExitCode));
    probing = new AbortController();
    void probe(probing.signal);
  }

  async function probe(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      if (await spec.ready(signal).catch(() => false)) {
        if (signal.aborted) return;
        if (restarts > 0) onEvent(`${spec.name} is back, pid ${process_?.pid}`);
        state = "ready";
        wasReady = true;
        for (const { resolve } of waiting.splice(0)) resolve();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 40));
    }
  }

  function exited(how: string, hopeless: boolean): void {
    probing.abort();
    process_ = undefined;
    lastExit = how;
    if (state === "stopped") return;
    if (hopeless && !wasReady) {
      state = "stopped";
      for (const { reject } of waiting.splice(0)) reject(new Error(`${spec.name} can't start. ${lastWords()}`));
      return;
    }
    failures = Date.now() - startedAt > steadyMs ? 0 : failures + 1;
    const delay = backoffMs(failures - 1);
    onEvent(`${spec.name} ended (${how}); restarting in ${delay} ms; its log: ${spec.logFile}`);
    state = "restarting";
    restarts++;
    timer = setTimeout(launch, delay);
  }

  const lastWords = () => `Its last words:\n${tail.trim() || "(none)"}`;

  return {
    name: spec.name,
    get state() {
      return state;
    },
    get pid() {
      return process_?.pid;
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
    whenReady: (timeoutMs) =>
      new Promise((resolve, reject) => {
        if (state === "ready") return resolve();
        if (state === "stopped") return reject(new Error(`${spec.name} can't start. ${lastWords()}`));
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
      process_?.kill("SIGTERM");
    },
    async stop() {
      state = "stopped";
      clearTimeout(timer);
      probing.abort();
      const child = process_;
      if (!child) return log.close();
      await new Promise<void>((resolve) => {
        const kill = setTimeout(() => child.kill("SIGKILL"), spec.graceMs ?? 5000);
        child.once("close", () => {
          clearTimeout(kill);
          resolve();
        });
        child.kill("SIGTERM");
      });
      log.close();
    },
  };
}

/** Appends to a file and starts over when it is large, keeping one predecessor, so that logs never fill a disk. */
const leastUrgent = constants.priority.PRIORITY_LOW;

/** Before the process has made threads, which on Linux each have a niceness of their own and take their maker's. */
function yieldTo(pid: number | undefined, niceness: number): void {
  if (pid === undefined) return;
  try {
    setPriority(pid, Math.min(leastUrgent, getPriority() + niceness));
  } catch {
    // It has ended already, or whoever runs this may not; it works either way.
  }
}

class RotatingLog {
  private readonly path: string;
  private stream: WriteStream;
  private size: number;

  constructor(path: string) {
    this.path = path;
    this.size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
    this.stream = this.open();
  }

  write(chunk: Buffer): void {
    this.size += chunk.length;
    if (this.size > maxLogBytes) {
      this.stream.end();
      renameSync(this.path, `${this.path}.1`);
      this.stream = this.open();
      this.size = chunk.length;
    }
    this.stream.write(chunk);
  }

  close(): void {
    this.stream.end();
  }

  private open(): WriteStream {
    return createWriteStream(this.path, { flags: "a", mode: 0o600 }).on("error", () => {});
  }
}
