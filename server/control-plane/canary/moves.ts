import type { CanarySpec } from "../../config/kinds/index.ts";
import type { CanaryFault, CanaryObserved, CanaryReason, CanaryStatus, ChangeWord } from "../../contract/index.ts";

/** What to write: the status, and where the weights move, these in the same commit. */
export interface Move {
  status: CanaryStatus;
  /** By subset; unset: they stay. */
  weights?: Record<string, number>;
  /** For the history. */
  event: Extract<ChangeWord, { code: "canary" }>["event"];
}

type Run = Pick<CanaryStatus, "from" | "to" | "original">;

/** `weight` percent of what both have together goes to the new version; the others keep what they had. */
export function sharesAt({ from, to, original }: Run, weight: number): Record<string, number> {
  const pool = (original[from.subset] ?? 0) + (original[to.subset] ?? 0);
  const share = Math.round((pool * weight) / 100);
  return { ...original, [from.subset]: pool - share, [to.subset]: share };
}

const timeOf = (ms: number): string => new Date(ms).toISOString();

const withObserved = (status: CanaryStatus, observed: CanaryObserved | undefined): CanaryStatus =>
  observed === undefined ? status : { ...status, observed };

const plain = ({ fault: _, ...status }: CanaryStatus): CanaryStatus => status;

/** To a step, counted from 1, which is held from now on. */
export function toStep(status: CanaryStatus, spec: CanarySpec, step: number, now: number): Move {
  const weight = spec.steps[step - 1]?.weight ?? 100;
  const weights = sharesAt(status, weight);
  return {
    event: "step",
    weights,
    status: {
      ...plain(status),
      phase: "Progressing",
      reason: "Holding",
      message: `step ${step} of ${spec.steps.length}: ${status.to.version} gets ${weight} %`,
      step,
      weight,
      since: timeOf(now),
      weights,
    },
  };
}

export const resume = (status: CanaryStatus, spec: CanarySpec, now: number): Move => ({
  ...toStep(status, spec, Math.min(Math.max(1, status.step), spec.steps.length), now),
  event: "resumed",
});

/** Everything of both to the new version. */
export function finish(status: CanaryStatus, now: number, how: "Passed" | "Promoted", observed?: CanaryObserved): Move {
  const weights = sharesAt(status, 100);
  const message = how === "Passed" ? "every step held" : "promoted by hand";
  const done = { phase: "Succeeded", reason: how, message, weight: 100, since: timeOf(now), weights } as const;
  return {
    event: how === "Passed" ? "finished" : "promoted",
    weights,
    status: withObserved({ ...plain(status), ...done }, observed),
  };
}

/** Back to the weights from before it began. */
export function rollBack(
  status: CanaryStatus,
  now: number,
  why: { fault: CanaryFault; observed: CanaryObserved } | "Aborted" | "Undone",
): Move {
  const weights = status.original;
  const back = { phase: "RolledBack", weight: 0, since: timeOf(now), weights } as const;
  if (typeof why === "string") {
    const message = why === "Aborted" ? "aborted by hand" : "the run was undone";
    const ended = { ...plain(status), ...back, reason: why, message } as const;
    return { event: "aborted", weights, status: ended };
  }
  const worse = { reason: "Worse", message: faultText(why.fault, status), fault: why.fault } as const;
  return { event: "rollback", weights, status: { ...status, ...back, ...worse, observed: why.observed } };
}

export function pause(
  status: CanaryStatus,
  now: number,
  reason: Exclude<CanaryReason, "Holding" | "Passed" | "Promoted" | "Aborted" | "Undone">,
  details: { message: string; fault?: CanaryFault; observed?: CanaryObserved },
): Move {
  const { message, fault, observed } = details;
  const paused = { phase: "Paused", reason, message, since: timeOf(now), ...(fault && { fault }) } as const;
  return { event: "paused", status: withObserved({ ...plain(status), ...paused }, observed) };
}

/** In English, as `kubectl` shows it. */
export function faultText({ by, value, limit }: CanaryFault, { to }: Pick<CanaryStatus, "to">): string {
  switch (by) {
    case "success-min":
      return `${to.version} succeeds in ${round(value)} % of its requests, less than ${limit} %`;
    case "success-drop":
      return `${to.version} succeeds ${round(value)} points less often than the old version, more than ${limit}`;
    case "latency-max":
      return `${to.version} has a p95 of ${round(value)} ms, more than ${limit} ms`;
    case "latency-ratio":
      return `${to.version} has ${round(value)} times the old version's p95, more than ${limit}`;
  }
}

const round = (value: number): number => Math.round(value * 100) / 100;

/** The old version gets nothing any more. */
export const isOldIdle = (status: Run & Pick<CanaryStatus, "weights">): boolean =>
  (status.weights[status.from.subset] ?? 0) === 0;
