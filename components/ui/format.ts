import { inUnit, type TimeUnit } from "./units.ts";

/** A number as people read it, and its unit apart, so that the unit can be set smaller and never be forgotten. */
export interface Quantity {
  value: string;
  unit: string;
}

const formats = new Map<string, Intl.NumberFormat>();

function number(locale: string, digits: number, value: number): string {
  const key = `${locale}/${digits}`;
  const format =
    formats.get(key) ?? new Intl.NumberFormat(locale, { minimumFractionDigits: digits, maximumFractionDigits: digits });
  formats.set(key, format);
  return format.format(value);
}

const none: Quantity = { value: "–", unit: "" };

/** Requests per second: `8.5`, `42.1`, `312`, `12.4 k`. */
export function formatRate(perSecond: number | null, locale: string): Quantity {
  if (perSecond === null || !Number.isFinite(perSecond)) return none;
  if (perSecond >= 9_999.5) return { value: number(locale, 1, perSecond / 1000), unit: "k rps" };
  if (perSecond > 0 && perSecond < 0.05) return { value: number(locale, 2, perSecond), unit: "rps" };
  return { value: number(locale, perSecond < 99.95 ? 1 : 0, perSecond), unit: "rps" };
}

/** How many in a second of what are no requests, such as connections: `0.3 /s`. */
export function formatPerSecond(perSecond: number | null, locale: string): Quantity {
  const { value, unit } = formatRate(perSecond, locale);
  return { value, unit: unit.replace("rps", "/s") };
}

/** A share of 0..1 as percent: `0.1 %`, `24 %`; never `0 %` or `100 %` for what is not quite that. */
export function formatShare(share: number | null, locale: string): Quantity {
  if (share === null || !Number.isFinite(share)) return none;
  const percent = share * 100;
  const away = Math.min(percent, 100 - percent);
  if (away <= 0) return { value: number(locale, 0, percent), unit: "%" };
  if (percent < 0.01) return { value: `<${number(locale, 2, 0.01)}`, unit: "%" };
  if (100 - percent < 0.01) return { value: `>${number(locale, 2, 99.99)}`, unit: "%" };
  return { value: number(locale, away < 0.1 ? 2 : away < 9.95 ? 1 : 0, percent), unit: "%" };
}

/** Milliseconds: `0.42 ms`, `6.2 ms`, `38 ms`, `1.24 s`, `2.5 min`. */
export function formatMs(ms: number | null, locale: string): Quantity {
  if (ms === null || !Number.isFinite(ms)) return none;
  if (ms < 0.995) return { value: number(locale, ms === 0 ? 0 : 2, ms), unit: "ms" };
  if (ms < 9.95) return { value: number(locale, Number.isInteger(ms) ? 0 : 1, ms), unit: "ms" };
  if (ms < 999.5) return { value: number(locale, 0, ms), unit: "ms" };
  if (ms < 59_995) return { value: number(locale, ms < 9_995 ? 2 : 1, ms / 1000), unit: "s" };
  return { value: number(locale, 1, ms / 60_000), unit: "min" };
}

/** With the space before it that every other unit has: `Intl` sets the sign of percent close. */
export const percentText = (format: Intl.NumberFormat, share: number): string =>
  format.format(share).replace(/\s*%/, " %");

/** Bytes per second, in steps of a thousand: `0 B/s`, `830 B/s`, `12.4 kB/s`, `3.1 MB/s`. */
export const formatBytesRate = (perSecond: number | null, locale: string): Quantity =>
  scaled(perSecond, ["B/s", "kB/s", "MB/s", "GB/s"], locale);

/** Bytes, in steps of a thousand: `830 B`, `94.1 MB`. */
export const formatBytes = (bytes: number | null, locale: string): Quantity =>
  scaled(bytes, ["B", "kB", "MB", "GB", "TB"], locale);

/** Any number, short: `0`, `0.25`, `7`, `1,250`, `12.4 k`, `3.1 M`. */
export function formatNumber(count: number | null, locale: string): Quantity {
  if (count === null || !Number.isFinite(count)) return none;
  const size = Math.abs(count);
  if (size >= 999_950) return { value: number(locale, 1, count / 1e6), unit: "M" };
  if (size >= 9_999.5) return { value: number(locale, 1, count / 1000), unit: "k" };
  const digits = Number.isInteger(count) || size >= 99.95 ? 0 : size >= 9.95 ? 1 : size >= 0.005 ? 2 : 4;
  return { value: number(locale, digits, count), unit: "" };
}

function scaled(amount: number | null, units: readonly string[], locale: string): Quantity {
  if (amount === null || !Number.isFinite(amount)) return none;
  let [value, step] = [amount, 0];
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step += 1;
  }
  return { value: number(locale, step === 0 || value >= 99.95 ? 0 : 1, value), unit: units[step] ?? "" };
}

export const quantityText = ({ value, unit }: Quantity): string => (unit ? `${value} ${unit}` : value);

/** A span of time in one unit: `30 s`, `5 min`, `1.5 h`. */
export function formatSpan(seconds: number, locale: string): string {
  const [unit, size]: [TimeUnit, number] =
    seconds < 60
      ? ["second", 1]
      : seconds < 3600
        ? ["minute", 60]
        : seconds < 86_400
          ? ["hour", 3600]
          : ["day", 86_400];
  return inUnit(seconds / size, unit, locale, 1);
}

/** Hours, minutes and seconds of the reader's own clock, 24 h. */
export const formatTimeOfDay = (ms: number, locale: string, seconds = true): string =>
  new Intl.DateTimeFormat(locale, {
    hour: "2-digit",
    minute: "2-digit",
    ...(seconds ? { second: "2-digit" } : {}),
    hourCycle: "h23",
  }).format(ms);

/** `28 Nov`, of the reader's own clock. */
export const formatDay = (ms: number, locale: string): string =>
  new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" }).format(ms);

/** `28 Nov 12:04`, of the reader's own clock; without the day where it goes without saying. */
export const formatDateTime = (ms: number, locale: string, { seconds = false, day = true } = {}): string =>
  day ? `${formatDay(ms, locale)} ${formatTimeOfDay(ms, locale, seconds)}` : formatTimeOfDay(ms, locale, seconds);

/** The time of day of a moment that is of today, `28 Nov 12:04:31` of any other. */
export const formatMoment = (ms: number, locale: string, seconds = true, nowMs = Date.now()): string =>
  formatDateTime(ms, locale, { seconds, day: new Date(ms).toDateString() !== new Date(nowMs).toDateString() });

/** `28 Nov 12:00 – 13:30`: so many seconds, of which `toMs` is the end. */
export function formatStretch(toMs: number, spanSec: number, locale: string): string {
  const fromMs = toMs - spanSec * 1000;
  const sameDay = new Date(fromMs).toDateString() === new Date(toMs).toDateString();
  const seconds = spanSec < 600;
  return `${formatDateTime(fromMs, locale, { seconds })} – ${formatDateTime(toMs, locale, { seconds, day: !sameDay })}`;
}

/** `12:04` or `1:02:33`, for a countdown. */
export function formatCountdown(ms: number): string {
  const total = Math.max(0, Math.ceil(ms / 1000));
  const [hours, minutes, seconds] = [Math.floor(total / 3600), Math.floor(total / 60) % 60, total % 60];
  const two = (value: number) => String(value).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
