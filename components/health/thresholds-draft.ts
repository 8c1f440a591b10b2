import type { HealthThresholds, PartialThresholds, ThresholdSettings } from "../../server/contract/index.ts";

export const thresholdKeys = ["errors", "clientErrors", "latencyMsP95"] as const;
export type ThresholdKey = (typeof thresholdKeys)[number];

/** What stands in the form: percents, and milliseconds; `own` false: what is usual counts. */
export type ThresholdDraft = Record<
  ThresholdKey,
  { own: boolean; degraded: number | string; failing: number | string }
>;

const scaleOf = (key: ThresholdKey): number => (key === "latencyMsP95" ? 1 : 100);
const shown = (value: number, key: ThresholdKey): number => Number((value * scaleOf(key)).toFixed(4));

export const draftOf = (own: PartialThresholds, usual: HealthThresholds): ThresholdDraft =>
  Object.fromEntries(
    thresholdKeys.map((key) => {
      const { degraded, failing } = own[key] ?? usual[key];
      return [key, { own: own[key] !== undefined, degraded: shown(degraded, key), failing: shown(failing, key) }];
    }),
  ) as ThresholdDraft;

/** What would be written; null while a field is no number. */
export function thresholdsOf(draft: ThresholdDraft): PartialThresholds | null {
  const own: PartialThresholds = {};
  for (const key of thresholdKeys) {
    const { own: isOwn, degraded, failing } = draft[key];
    if (!isOwn) continue;
    if (typeof degraded !== "number" || typeof failing !== "number") return null;
    own[key] = { degraded: degraded / scaleOf(key), failing: failing / scaleOf(key) };
  }
  return own;
}

/** Whether saving it would write what is there. */
export const isUnchanged = (draft: ThresholdDraft, { own, usual }: ThresholdSettings): boolean =>
  JSON.stringify(thresholdsOf(draft)) === JSON.stringify(thresholdsOf(draftOf(own, usual)));
