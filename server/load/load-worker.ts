import { parentPort, workerData } from "node:worker_threads";
import type { LoadOutcome, LoadPlan } from "../contract/load-tests.ts";
import { runLoad } from "./run-load.ts";

/** What the thread of one run tells, see `load-aside.ts`. Any message to it stops the run. */
export type LoadNews =
  | { kind: "progress"; elapsedSec: number; outcome: LoadOutcome }
  | { kind: "done"; outcome: LoadOutcome };

const stop = new AbortController();
parentPort?.once("message", () => stop.abort());
const tell = (news: LoadNews): void => parentPort?.postMessage(news);
const outcome = await runLoad(workerData as LoadPlan, {
  signal: stop.signal,
  onProgress: (elapsedSec, sofar) => tell({ kind: "progress", elapsedSec, outcome: sofar }),
});
tell({ kind: "done", outcome });
