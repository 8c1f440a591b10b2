import { createHash } from "node:crypto";
import type { CanarySpec } from "../../config/kinds/index.ts";
import type { CanaryObserved, CanaryStatus } from "../../contract/index.ts";
import { parseGoDuration } from "../../lib/go-duration.ts";
import { judge, thresholdsOf, type Verdict } from "./judge.ts";
import { faultText, finish, isOldIdle, type Move, pause, resume, rollBack, toStep } from "./moves.ts";

/** The rule as it is in force. */
export interface Route {
  virtualService: { namespace: string; name: string } | undefined;
  rule: number;
  from: CanaryStatus["from"];
  to: CanaryStatus["to"];
  /** By subset, those with something; where the rule names no subsets, everything is the old version's. */
  weights: Record<string, number>;
}

export interface World {
  now: number;
  /** A text says why the rule can't be shared. */
  route: Route | string;
  /** Of the step that is held; undefined: not measured. */
  observed?: CanaryObserved | undefined;
}

export type Advice =
  | { is: "move"; move: Move }
  /** Nothing to write; until when at the least, in Unix milliseconds. Undefined: until something changes. */
  | { is: "wait"; until?: number; for?: "requests" };

/** A run is of a spec but for its pause: whoever applies the same file again starts nothing anew. */
export function digestOf({ paused: _, ...spec }: CanarySpec): string {
  return createHash("sha256").update(JSON.stringify(spec)).digest("hex").slice(0, 16);
}

export const holdMsOf = (spec: CanarySpec, step: number): number =>
  parseGoDuration(spec.steps[step - 1]?.hold ?? "0") ?? 0;

const isOver = ({ phase }: CanaryStatus): boolean => phase === "Succeeded" || phase === "RolledBack";

/** Whether signals are needed to go on. */
export const isMeasured = (spec: CanarySpec, status: CanaryStatus | undefined): status is CanaryStatus =>
  status?.phase === "Progressing" && spec.paused !== true;

/** What comes next, from what is written and what is seen. No clock, no store: the same answer after every restart. */
export function advance(spec: CanarySpec, status: CanaryStatus | undefined, world: World): Advice {
  const { now, route } = world;
  if (status === undefined || (isOver(status) && status.observedSpec !== digestOf(spec))) return begin(spec, world);
  if (isOver(status)) return { is: "wait" };
  // What it is about may come after it, as with files that are applied in any order.
  if (status.phase === "Pending") return route === status.message ? { is: "wait" } : begin(spec, world);
  const move = (next: Move): Advice => ({ is: "move", move: next });
  if (status.phase === "Paused") {
    if (spec.paused) {
      // A pause by hand outweighs one of its own: taken back, it goes on.
      if (status.reason === "PausedByHand") return { is: "wait" };
      return move(pause(status, now, "PausedByHand", { message: "paused by hand" }));
    }
    return status.reason === "PausedByHand" ? move(resume(renewed(status, spec), spec, now)) : { is: "wait" };
  }
  if (spec.paused) return move(pause(status, now, "PausedByHand", { message: "paused by hand" }));
  if (typeof route === "string") return move(pause(status, now, "NotShared", { message: route }));
  if (!sameVersions(route, status))
    return move(
      pause(status, now, "SpecChanged", { message: "it is for other versions now: abort it, or set them back" }),
    );
  if (!sameWeights(route.weights, status.weights)) {
    const message = `the weights are ${textOf(route.weights)} and not ${textOf(status.weights)}: somebody else changed them`;
    return move(pause(status, now, "WeightsChanged", { message }));
  }
  if (status.step > spec.steps.length || stepIsOutdated(spec, status))
    return move(toStep(renewed(status, spec), spec, Math.min(status.step, spec.steps.length), now));
  return hold(spec, status, world);
}

function hold(spec: CanarySpec, status: CanaryStatus, { now, observed }: World): Advice {
  const ends = Date.parse(status.since) + holdMsOf(spec, status.step);
  if (observed === undefined) return { is: "wait", until: ends };
  const verdict = verdictOf(spec, status, observed);
  if (verdict.is === "worse") {
    const { fault } = verdict;
    const next =
      spec.onFailure === "Pause"
        ? pause(status, now, "Worse", { message: faultText(fault, status), fault, observed })
        : rollBack(status, now, { fault, observed });
    return { is: "move", move: next };
  }
  if (now < ends) return { is: "wait", until: ends };
  if (verdict.is === "few") return { is: "wait", for: "requests" };
  const seen = { ...renewed(status, spec), observed };
  if (status.step >= spec.steps.length) return { is: "move", move: finish(seen, now, "Passed", observed) };
  return { is: "move", move: toStep(seen, spec, status.step + 1, now) };
}

const verdictOf = (spec: CanarySpec, status: CanaryStatus, observed: CanaryObserved): Verdict =>
  judge({
    observed,
    earlier: status.observed?.from,
    oldIsIdle: isOldIdle(status),
    limits: thresholdsOf(spec),
  });

function begin(spec: CanarySpec, { now, route }: World): Advice {
  const at = new Date(now).toISOString();
  const empty = { step: 0, weight: 0, since: at, startedAt: at, observedSpec: digestOf(spec) };
  if (typeof route === "string") {
    const nobody = (version: string) => ({ version, subset: version });
    const none = { rule: 0, from: nobody(spec.from), to: nobody(spec.to), original: {}, weights: {} };
    const status = { ...empty, ...none, phase: "Pending", reason: "NotShared", message: route } as const;
    return { is: "move", move: { event: "paused", status } };
  }
  if (spec.paused) return { is: "wait" };
  const { virtualService, rule, from, to, weights } = route;
  const status: CanaryStatus = {
    ...empty,
    ...(virtualService && { virtualService }),
    ...{ rule, from, to, original: weights, weights },
    ...{ phase: "Progressing", reason: "Holding", message: "" },
  };
  return { is: "move", move: toStep(status, spec, 1, now) };
}

const renewed = (status: CanaryStatus, spec: CanarySpec): CanaryStatus => ({ ...status, observedSpec: digestOf(spec) });

/** Its weight was edited while it was held. */
const stepIsOutdated = (spec: CanarySpec, status: CanaryStatus): boolean =>
  status.weight !== spec.steps[status.step - 1]?.weight;

const sameVersions = (route: Route, { from, to, rule, virtualService }: CanaryStatus): boolean =>
  route.from.subset === from.subset &&
  route.to.subset === to.subset &&
  route.rule === rule &&
  (virtualService === undefined ||
    (route.virtualService?.name === virtualService.name &&
      route.virtualService.namespace === virtualService.namespace));

export function sameWeights(a: Record<string, number>, b: Record<string, number>): boolean {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].every((subset) => (a[subset] ?? 0) === (b[subset] ?? 0));
}

const textOf = (weights: Record<string, number>): string =>
  Object.entries(weights)
    .filter(([, weight]) => weight > 0)
    .map(([subset, weight]) => `${subset} ${weight} %`)
    .join(", ") || "nothing";
