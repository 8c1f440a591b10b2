import { type Comparison, earlier, type TimeRange } from "../ui/time-range.ts";

/** So many steps of a moving window are compared with one and the same earlier time: it is asked for once in each. */
const steps = 12;

/** The time that a range is compared with, which moves on with whole steps of it. `at`: the end of what is shown, Unix milliseconds; 0: not known yet. */
export function earlierRange(range: TimeRange, comparison: Comparison | null, at: number): TimeRange | null {
  if (comparison === null || at === 0) return null;
  const stepMs = Math.max(10, Math.round(range.windowSec / steps)) * 1000;
  return earlier(range, comparison, Math.floor(at / stepMs) * stepMs);
}
