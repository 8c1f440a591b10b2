import type { FaultRequest, ServiceMetrics } from "../../server/contract/index.ts";

/** The fault form's fields; a number that was emptied is null. */
export interface FaultDraft {
  delay: { on: boolean; percentage: number | null; fixedDelayMs: number | null };
  abort: { on: boolean; percentage: number | null; httpStatus: number | null };
  header: { on: boolean; name: string; exact: string };
  /** Null: until stopped. */
  durationSec: number | null;
}

export const firstDraft: FaultDraft = {
  delay: { on: true, percentage: 50, fixedDelayMs: 2000 },
  abort: { on: false, percentage: 10, httpStatus: 503 },
  header: { on: false, name: "", exact: "" },
  durationSec: 300,
};

/** Seconds. Null: until stopped. */
export const durations = [30, 60, 300, 900, null] as const;
export const statuses = [500, 502, 503, 504, 429, 404] as const;

/** What to send; null while a field is empty or nothing is chosen. */
export function toRequest(
  { delay, abort, header, durationSec }: FaultDraft,
  service: { namespace: string; name: string },
): FaultRequest | null {
  if (!delay.on && !abort.on) return null;
  if (delay.on && (delay.percentage === null || delay.fixedDelayMs === null)) return null;
  if (abort.on && (abort.percentage === null || abort.httpStatus === null)) return null;
  if (header.on && header.name.trim() === "") return null;
  return {
    namespace: service.namespace,
    service: service.name,
    delay: delay.on ? { percentage: delay.percentage ?? 0, fixedDelayMs: delay.fixedDelayMs ?? 0 } : null,
    abort: abort.on ? { percentage: abort.percentage ?? 0, httpStatus: abort.httpStatus ?? 0 } : null,
    header: header.on ? { name: header.name.trim(), exact: header.exact } : null,
    durationSec,
  };
}

export interface FaultImpact {
  perMinute: number;
  /** Largest first. */
  callers: { name: string; version: string | null; perMinute: number }[];
  /** A header limits it: this is the most it can be. */
  atMost: boolean;
}

/** How many requests it will hit, and whose, if the traffic goes on as it did. */
export function impactOf(draft: FaultDraft, metrics: ServiceMetrics): FaultImpact {
  // A request is drawn for the delay and for the abort independently.
  const spared = (part: { on: boolean; percentage: number | null }) => 1 - (part.on ? (part.percentage ?? 0) / 100 : 0);
  const share = 1 - spared(draft.delay) * spared(draft.abort);
  const perMinute = (rate: number) => rate * 60 * share;
  return {
    perMinute: perMinute(metrics.totals.all?.requestRate ?? 0),
    callers: metrics.callers
      .map(({ app, version, signals }) => ({ name: app, version, perMinute: perMinute(signals.requestRate) }))
      .filter((caller) => caller.perMinute > 0)
      .toSorted((a, b) => b.perMinute - a.perMinute),
    atMost: draft.header.on,
  };
}
