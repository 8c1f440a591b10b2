import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface Sample {
  metric: Record<string, string>;
  value: [at: number, value: string];
}

/** A real Prometheus on a free port of this machine, with the configuration that is given. */
export interface Prometheus {
  /** What an expression answers now; rejects with Prometheus' own words. */
  query(expression: string): Promise<Sample[]>;
  labelValues(metric: string, labels: readonly string[]): Promise<Record<string, string>[]>;
  metricNames(): Promise<Set<string>>;
  /** Every target with its health: `up`, `down` and why. */
  targets(): Promise<{ job: string; url: string; health: string; error: string }[]>;
  stop(): void;
}

export async function startPrometheus(config: string): Promise<Prometheus> {
  const folder = mkdtempSync(join(tmpdir(), "limpid-prometheus-"));
  const file = join(folder, "prometheus.yml");
  writeFileSync(file, config);
  const port = await freePort();
  const child: ChildProcess = spawn(
    process.env.LIMPID_PROMETHEUS ?? "prometheus",
    [`--config.file=${file}`, `--storage.tsdb.path=${join(folder, "data")}`, `--web.listen-address=127.0.0.1:${port}`],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  let log = "";
  child.stderr?.on("data", (chunk: Buffer) => {
    log = (log + chunk.toString()).slice(-4000);
  });
  const ask = async <T>(path: string, query: Record<string, string> | [string, string][] = {}): Promise<T> => {
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/${path}?${new URLSearchParams(query)}`);
    const answer = (await response.json()) as { status: string; data: T; error?: string };
    if (answer.status !== "success") throw new Error(answer.error ?? `HTTP ${response.status}`);
    return answer.data;
  };
  const stop = () => {
    child.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  for (const deadline = Date.now() + 30_000; ; ) {
    if (
      await ask("status/buildinfo").then(
        () => true,
        () => false,
      )
    )
      break;
    if (child.exitCode !== null || Date.now() > deadline) {
      stop();
      throw new Error(`Prometheus did not start:\n${log}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    async query(expression) {
      const { result, resultType } = await ask<{ result: Sample[]; resultType: string }>("query", {
        query: expression,
      });
      return resultType === "vector" ? result : [];
    },
    async labelValues(metric, labels) {
      const { result } = await ask<{ result: Sample[] }>("query", {
        query: `count by (${labels.join(", ")}) (${metric})`,
      });
      return result.map((sample) => sample.metric);
    },
    metricNames: async () => new Set(await ask<string[]>("label/__name__/values")),
    async targets() {
      const { activeTargets } = await ask<{ activeTargets: ActiveTarget[] }>("targets", { state: "active" });
      return activeTargets.map(({ labels, scrapeUrl, health, lastError }) => ({
        job: labels.job ?? "",
        url: scrapeUrl,
        health,
        error: lastError,
      }));
    },
    stop,
  };
}

interface ActiveTarget {
  labels: Record<string, string>;
  scrapeUrl: string;
  health: string;
  lastError: string;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address !== null ? address.port : 0;
}
