import type { ServiceMetrics } from "../../server/contract/index.ts";

type Covered = Pick<ServiceMetrics, "at" | "fromMs" | "dataFromMs" | "stepSec">;

/** Seconds of the window that there are records of: what rates are over. */
export const coveredSec = ({ at, fromMs, dataFromMs }: Covered): number =>
  Math.max(1, Math.round((at - Math.max(fromMs, dataFromMs)) / 1000));

/** Index of the first step that there are records of. */
export const firstStep = ({ fromMs, dataFromMs, stepSec }: Covered): number =>
  Math.max(0, Math.floor((dataFromMs - fromMs) / (stepSec * 1000)));

/** Whether records began within the window, so that the page has to say since when its numbers are. */
export const isYoung = (metrics: Covered): boolean => firstStep(metrics) > 0;
