import { type ChildProcess, execFile } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

export interface KubectlResult {
  code: number;
  stdout: string;
  stderr: string;
}

export interface Kubectl {
  /** Runs to the end; `input` goes to standard input. */
  run(args: readonly string[], input?: string, env?: Record<string, string>): Promise<KubectlResult>;
  /** Runs until `stop`; `output` grows. */
  start(args: readonly string[]): { output(): string; stop(): Promise<void> };
  cleanup(): void;
}

/** Undefined when kubectl is not on the PATH. */
export function findKubectl(): string | undefined {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, "kubectl");
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // not here
    }
  }
  return undefined;
}

/** The stock kubectl against one server, with a home of its own: no kubeconfig and no cached discovery of other servers. */
export function createKubectl(binary: string, server: string): Kubectl {
  const home = mkdtempSync(join(tmpdir(), "limpid-kubectl-"));
  const base = [`--server=${server}`, `--cache-dir=${join(home, "cache")}`];
  const environment = { PATH: process.env.PATH, HOME: home, KUBECONFIG: join(home, "none") };
  const spawn = (
    args: readonly string[],
    env: Record<string, string>,
    done: (result: KubectlResult) => void,
  ): ChildProcess =>
    execFile(
      binary,
      [...base, ...args],
      { env: { ...process.env, ...environment, ...env }, timeout: 30_000 },
      (error, stdout, stderr) =>
        done({ code: error ? (typeof error.code === "number" ? error.code : 1) : 0, stdout, stderr }),
    );
  return {
    run: (args, input, env = {}) =>
      new Promise((resolve) => {
        const child = spawn(args, env, resolve);
        child.stdin?.end(input ?? "");
      }),
    start(args) {
      let output = "";
      let ended: (result: KubectlResult) => void = () => undefined;
      const end = new Promise<KubectlResult>((resolve) => {
        ended = resolve;
      });
      const child = spawn(args, {}, ended);
      child.stdout?.on("data", (chunk: Buffer | string) => {
        output += chunk.toString();
      });
      return {
        output: () => output,
        async stop() {
          child.kill("SIGTERM");
          await end;
        },
      };
    },
    cleanup: () => rmSync(home, { recursive: true, force: true }),
  };
}
