import { defaultWindowSec } from "./time-window.ts";

/** A stretch of time that a page shows. `at`: its end, Unix milliseconds; null: it ends now, and goes on. */
export interface TimeRange {
  windowSec: number;
  at: number | null;
}

/** What a stretch is compared with: as long a one before it, or the same one a day or a week before. */
export const comparisons = ["before", "day", "week"] as const;
export type Comparison = (typeof comparisons)[number];

/** Seconds; as long as anything is kept. */
export const longestWindowSec = 30 * 86_400;
const shortestWindowSec = 10;

/** The URL's parameters that a range is of. */
export const rangeNames = ["window", "from", "to", "at"] as const;
export type RangeName = (typeof rangeNames)[number];

type Get = (name: RangeName | "compare") => string | null | undefined;

/** A page's `searchParams`, as far as they are of time. */
export type RangeQuery = Partial<Record<Parameters<Get>[0], string>>;

/** As the dashboard is asked. */
export const askedFor = ({ windowSec, at }: TimeRange): { windowSec: number; at?: number } => ({
  windowSec,
  ...(at !== null && { at }),
});

const time = (text: string | null | undefined): number | null =>
  text && /^\d{10,15}$/.test(text) ? Number(text) : null;

/** From the URL: `from` and `to`, else the last `window` seconds, which `at` may end. */
export function parseRange(get: Get, fallbackSec: number = defaultWindowSec): TimeRange {
  const [from, to] = [time(get("from")), time(get("to"))];
  if (from !== null && to !== null && to - from >= shortestWindowSec * 1000) {
    return { windowSec: Math.min(longestWindowSec, Math.round((to - from) / 1000)), at: to };
  }
  const seconds = Number(get("window"));
  const windowSec = Number.isInteger(seconds) && seconds >= 1 && seconds <= longestWindowSec ? seconds : fallbackSec;
  return { windowSec, at: time(get("at")) };
}

export const sameRange = (a: TimeRange, b: TimeRange): boolean => a.windowSec === b.windowSec && a.at === b.at;

/** The URL's parameters for it: a moving window, or fixed ends. */
export const rangeParams = ({ windowSec, at }: TimeRange): Record<RangeName, string | null> =>
  at === null
    ? { window: String(windowSec), from: null, to: null, at: null }
    : { window: null, from: String(at - windowSec * 1000), to: String(at), at: null };

/** The same for an API that takes `window`, or `from` and `to`. */
export function rangeQuery(get: Get, fallbackSec?: number): Record<string, string> {
  const { windowSec, at } = parseRange(get, fallbackSec);
  return at === null ? { window: String(windowSec) } : { from: String(at - windowSec * 1000), to: String(at) };
}

export const parseComparison = (text: string | null | undefined): Comparison | null =>
  comparisons.find((one) => one === text) ?? null;

/** How far back the other stretch lies, seconds. */
export const distanceSec = (comparison: Comparison, { windowSec }: TimeRange): number =>
  ({ before: windowSec, day: 86_400, week: 7 * 86_400 })[comparison];

/** The other stretch; of a moving window as it was at `nowMs`. */
export const earlier = (range: TimeRange, comparison: Comparison, nowMs: number): TimeRange => ({
  windowSec: range.windowSec,
  at: (range.at ?? nowMs) - distanceSec(comparison, range) * 1000,
});

/** As people type it and as logs have it, with 24 hours whatever a browser's language would make of `datetime-local`; in the reader's own zone. */
export function toLocalInput(ms: number): string {
  const date = new Date(ms);
  return new Date(ms - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 19).replace("T", " ");
}

/** Null for what is no whole time yet. A time with a zone, copied from a log, is that time. */
export function fromLocalInput(text: string): number | null {
  const [, date, time, zone = ""] =
    /^\s*(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d(?::\d\d(?:\.\d+)?)?)(Z|[+-]\d\d:\d\d)?\s*$/.exec(text) ?? [];
  if (date === undefined) return null;
  const ms = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(ms) ? null : ms;
}

export type RangeProblem = "incomplete" | "backwards" | "short" | "long" | "future";

/** Whether two ends make a stretch that can be shown, or why not. */
export function checkRange(
  from: number | null,
  to: number | null,
  nowMs: number,
  longestSec = longestWindowSec,
): RangeProblem | null {
  if (from === null || to === null) return "incomplete";
  if (from >= to) return "backwards";
  if (to - from < shortestWindowSec * 1000) return "short";
  if (nowMs - from > longestSec * 1000) return "long";
  return from > nowMs ? "future" : null;
}
