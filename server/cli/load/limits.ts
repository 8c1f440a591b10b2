import type { LoadOutcome } from "../../contract/index.ts";
import { CliError } from "../config/io.ts";
import { secondsOf } from "./plan.ts";

/** What a run must hold, by flags. */
export interface Limits {
  maxP50?: string;
  maxP99?: string;
  maxFailed?: string;
}

interface Limit {
  /** As it was given. */
  flag: string;
  isBroken(outcome: LoadOutcome): boolean;
}

/** Throws a CliError for one that makes no sense, before anything is sent. */
export function limitsOf({ maxP50, maxP99, maxFailed }: Limits): Limit[] {
  const limits: Limit[] = [];
  for (const [flag, quantile, text] of [
    ["--max-p50", "p50", maxP50],
    ["--max-p99", "p99", maxP99],
  ] as const) {
    if (text === undefined) continue;
    const most = secondsOf(flag, text) * 1000;
    // Nothing answered is not quick.
    limits.push({ flag: `${flag} ${text}`, isBroken: ({ latency }) => (latency[quantile] ?? Infinity) > most });
  }
  if (maxFailed !== undefined) {
    const most = Number(maxFailed);
    if (!(most >= 0 && most <= 100))
      throw new CliError(`error: --max-failed ${maxFailed}: must be a percentage from 0 to 100`);
    limits.push({ flag: `--max-failed ${maxFailed}`, isBroken: (outcome) => failedPercent(outcome) > most });
  }
  return limits;
}

/** Of all that were due. */
export const failedPercent = ({ due, ok }: LoadOutcome): number => (due === 0 ? 100 : ((due - ok) / due) * 100);
