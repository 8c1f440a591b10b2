import {
  formatBytes,
  formatBytesRate,
  formatDay,
  formatMs,
  formatNumber,
  formatRate,
  formatShare,
  formatTimeOfDay,
  type Quantity,
  quantityText,
} from "./format.ts";

/** What a chart's values are: `s` and `us` are shown as times of their size, `cores` are processors, `hz` so many a second. */
export type ChartKind = "rps" | "share" | "ms" | "s" | "us" | "bytes" | "bytes-rate" | "cores" | "hz" | "count";

type Formatter = (value: number | null, locale: string) => Quantity;
const times =
  (factor: number): Formatter =>
  (value, locale) =>
    formatMs(value === null ? null : value * factor, locale);
const counted =
  (unit: string): Formatter =>
  (value, locale) => {
    const { value: text, unit: scale } = formatNumber(value, locale);
    return { value: text, unit: `${scale}${scale && unit ? " " : ""}${value === null ? "" : unit}` };
  };

export const formatters: Readonly<Record<ChartKind, Formatter>> = {
  rps: formatRate,
  share: formatShare,
  ms: formatMs,
  s: times(1000),
  us: times(0.001),
  bytes: formatBytes,
  "bytes-rate": formatBytesRate,
  cores: counted("cores"),
  hz: counted("/s"),
  count: counted(""),
};

/** A value as the readout says it. */
export const chartText = (kind: ChartKind, value: number | null, locale: string): string =>
  quantityText(formatters[kind](value, locale));

/** A tick's value with as many digits as tell it from its neighbours, and no more: `5 rps`, `0.2 %`, `250 ms`, `1.5 s`. */
export function tickText(kind: ChartKind, value: number, step: number, locale: string): string {
  if (kind === "s" || kind === "us") {
    const factor = kind === "s" ? 1000 : 0.001;
    return tickText("ms", value * factor, step * factor, locale);
  }
  if (kind !== "share" && kind !== "rps" && kind !== "ms") {
    return value === 0 ? "0" : quantityText(formatters[kind](value, locale));
  }
  const scale = kind === "share" ? 100 : kind === "ms" && step >= 100 && value >= 1000 ? 0.001 : 1;
  const unit = kind === "share" ? "%" : kind === "rps" ? "rps" : scale === 1 ? "ms" : "s";
  const digits = Math.min(4, Math.max(0, Math.ceil(-Math.log10(step * scale) - 1e-9)));
  const text = new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value * scale);
  return value === 0 ? "0" : `${text} ${unit}`;
}

/** A moment below the axis, where there is a tick every `stepSec`: the day at midnight of what is longer than one. */
export function axisTime(ms: number, stepSec: number, locale: string): string {
  const date = new Date(ms);
  const isMidnight = date.getHours() === 0 && date.getMinutes() === 0;
  if (stepSec >= 86_400 || (stepSec >= 3600 && isMidnight)) return formatDay(ms, locale);
  // Ticks closer than a minute would all say the same one.
  return formatTimeOfDay(ms, locale, stepSec < 60);
}

/** The same of an axis: where ticks are closer than what is said of them, it is said once. */
export const axisTimes = (times: readonly number[], stepSec: number, locale: string): string[] =>
  times
    .map((ms) => axisTime(ms, stepSec, locale))
    .map((text, index, all) => (index > 0 && all[index - 1] === text ? "" : text));

/** Steps that people count in, from less than any share to terabytes: an axis without a step that fits has no ticks. */
export const tickSteps: number[] = Array.from({ length: 19 }, (_, i) => i - 5).flatMap((power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
);

/** The scale's top: a little above the largest value, on a round number, so that it does not breathe with every point. */
export function niceTop(max: number | null): number {
  if (!max || max <= 0) return 1;
  const size = 10 ** Math.floor(Math.log10(max));
  const top = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((step) => step * size >= max * 1.08);
  return (top ?? 12) * size;
}

/** A share's top: 1 % when nothing much fails, so that a quiet chart is flat, and never past 100 %. */
export const shareTop = (max: number | null): number => (max !== null && max > 0.01 ? Math.min(1, niceTop(max)) : 0.01);
