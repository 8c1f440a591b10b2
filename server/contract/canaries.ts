import { z } from "zod";
import type { Routing } from "./traffic.ts";

const Weights = z.record(z.string(), z.number().int());
const VersionOf = z.object({ version: z.string(), subset: z.string() });

/** What a version did over a stretch of time. */
export const CanaryFigures = z.object({
  requests: z.number().int(),
  /** Percent; null without a request. */
  successRate: z.number().nullable(),
  latencyMsP95: z.number().nullable(),
});
export type CanaryFigures = z.infer<typeof CanaryFigures>;

/** Both versions at one time. `at`: Unix milliseconds of the window's end. */
export const CanaryObserved = z.object({
  at: z.number(),
  windowSec: z.number(),
  from: CanaryFigures,
  to: CanaryFigures,
});
export type CanaryObserved = z.infer<typeof CanaryObserved>;

/** Which threshold the new version is past; the value and the limit in its unit (percent, points, milliseconds, times). */
export const CanaryFault = z.object({
  by: z.enum(["success-min", "success-drop", "latency-max", "latency-ratio"]),
  value: z.number(),
  limit: z.number(),
});
export type CanaryFault = z.infer<typeof CanaryFault>;

/**
 * Why a canary is where it is. `Holding`: it measures. `Passed`: every step held. `Promoted`, `Aborted`, `PausedByHand`: somebody said so. `Undone`: its run was taken back in the history. `Worse`:
 * see `fault`. `WeightsChanged`: somebody else moved them. `SpecChanged`: it would be another canary. `NotShared`: the rule can't be split.
 */
export const CanaryReason = z.enum([
  "Holding",
  "Passed",
  "Promoted",
  "Aborted",
  "Undone",
  "PausedByHand",
  "Worse",
  "WeightsChanged",
  "SpecChanged",
  "NotShared",
]);
export type CanaryReason = z.infer<typeof CanaryReason>;

/** `status` of a Canary. Times are RFC 3339. */
export const CanaryStatus = z.object({
  phase: z.enum(["Progressing", "Paused", "Succeeded", "RolledBack", "Pending"]),
  reason: CanaryReason,
  message: z.string(),
  fault: CanaryFault.optional(),
  /** From 1; after the last one it stays there. 0: it never began. */
  step: z.number().int(),
  /** Percent of what both versions have together. */
  weight: z.number(),
  /** Since when this step is held, or since when it is over. */
  since: z.string(),
  startedAt: z.string(),
  /** Which rule it moves. A VirtualService of null: there was none. */
  virtualService: z.object({ namespace: z.string(), name: z.string() }).optional(),
  rule: z.number().int(),
  from: VersionOf,
  to: VersionOf,
  /** By subset: before it began, and as it set them last. */
  original: Weights,
  weights: Weights,
  observed: CanaryObserved.optional(),
  /** Digest of the spec that this run is of. */
  observedSpec: z.string(),
});
export type CanaryStatus = z.infer<typeof CanaryStatus>;

/** Every threshold, with the defaults in it; null: not looked at. */
export const CanaryThresholds = z.object({
  minRequests: z.number(),
  successMin: z.number().nullable(),
  successDrop: z.number().nullable(),
  latencyMaxMs: z.number().nullable(),
  latencyRatio: z.number().nullable(),
});
export type CanaryThresholds = z.infer<typeof CanaryThresholds>;

export const CanaryView = z.object({
  namespace: z.string(),
  name: z.string(),
  /** Whose traffic it moves; `hostname` null where the registry has no such service. */
  service: z.object({ namespace: z.string(), name: z.string(), hostname: z.string().nullable() }),
  from: z.string(),
  to: z.string(),
  steps: z.array(z.object({ weight: z.number(), holdMs: z.number() })),
  thresholds: CanaryThresholds,
  onFailure: z.enum(["Rollback", "Pause"]),
  paused: z.boolean(),
  /** Null: it was not looked at yet. */
  status: CanaryStatus.nullable(),
  /** What was measured last in this step, and what it waits for beyond its time. Null while it doesn't run. */
  live: z
    .object({
      observed: CanaryObserved.nullable(),
      waiting: z.enum(["requests", "signals"]).nullable(),
      /** Why there are no signals. */
      why: z.string().nullable(),
    })
    .nullable(),
});
export type CanaryView = z.infer<typeof CanaryView>;

/** `GET /limpid/v1/canaries`, and the same under the dashboard's `/api`. `now`: Unix milliseconds. */
export const CanaryList = z.object({ now: z.number(), canaries: z.array(CanaryView) });
export type CanaryList = z.infer<typeof CanaryList>;

/** `POST /limpid/v1/canaries`: starts one, also anew where one of the same name is over. `spec` as the kind Canary has it. */
export const CanaryRequest = z.object({
  namespace: z.string().min(1).max(253),
  name: z.string().min(1).max(253),
  spec: z.record(z.string(), z.unknown()),
});
export type CanaryRequest = z.infer<typeof CanaryRequest>;

/** `POST /limpid/v1/canaries/{namespace}/{name}/{action}` */
export const CanaryAction = z.enum(["pause", "resume", "promote", "abort"]);
export type CanaryAction = z.infer<typeof CanaryAction>;

/** What a form and a command begin with. `hold` as the kind has it. */
export const defaultCanarySteps = [
  { weight: 10, hold: "2m" },
  { weight: 25, hold: "2m" },
  { weight: 50, hold: "2m" },
] as const;

/** From the version with the most of the traffic to the newest other one; undefined where there is one only. */
export function usualCanary(
  { rules, versions }: Pick<Routing, "rules" | "versions">,
  { from, to }: { from?: string | undefined; to?: string | undefined } = {},
): { from: string; to: string } | undefined {
  const rule = rules.find(({ matches }) => matches.length === 0) ?? rules[0];
  const weightOf = (subset: string): number =>
    rule?.destinations.find((destination) => destination.subset === subset)?.weight ?? 0;
  const others = versions.filter(({ version }) => version !== to);
  const old = from ?? others.toSorted((a, b) => weightOf(b.subset) - weightOf(a.subset))[0]?.version;
  const fresh = to ?? versions.findLast(({ version }) => version !== old)?.version;
  return old === undefined || fresh === undefined ? undefined : { from: old, to: fresh };
}
