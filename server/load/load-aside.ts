import { Worker } from "node:worker_threads";
import type { LoadOutcome, LoadPlan } from "../contract/load-tests.ts";
import type { LoadNews } from "./load-worker.ts";

export interface AsideRun {
  /** Resolves with the whole outcome, also of a run that was stopped. Rejects where the thread failed. */
  readonly outcome: Promise<LoadOutcome>;
  stop(): void;
}

const maxMemoryMb = 512;

/** `runLoad` in a thread of its own: the process that asks for it goes on serving, and is not in the figures. */
export function runLoadAside(plan: LoadPlan, onProgress: (elapsedSec: number, outcome: LoadOutcome) => void): AsideRun {
  const file = import.meta.url.endsWith(".ts") ? "./load-worker.ts" : "./load-worker.js"; // the bundle has it beside itself
  const worker = new Worker(new URL(file, import.meta.url), {
    workerData: plan,
    resourceLimits: { maxOldGenerationSizeMb: maxMemoryMb },
  });
  worker.unref();
  const outcome = new Promise<LoadOutcome>((resolve, reject) => {
    worker.on("message", (news: LoadNews) => {
      if (news.kind === "progress") return onProgress(news.elapsedSec, news.outcome);
      resolve(news.outcome);
      void worker.terminate();
    });
    worker.once("error", reject);
    worker.once("exit", () => reject(new Error("the thread ended before the run did")));
  });
  return { outcome, stop: () => worker.postMessage("stop") };
}
