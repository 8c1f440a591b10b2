const units: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
};
const whole = /^[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/;
const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/**
 * Reads a duration as Go writes it ("1h2m3s", "500ms", "1.5s", "0"), in milliseconds, possibly fractional or negative;
 * undefined when it is none. https://pkg.go.dev/time#ParseDuration
 */
export function parseGoDuration(text: string): number | undefined {
  if (text === "0") return 0;
  if (text.length > 64 || !whole.test(text)) return undefined;
  let ms = 0;
  for (const [, amount, unit] of text.matchAll(part)) ms += Number(amount) * (units[unit ?? ""] ?? Number.NaN);
  // Sums of decimal fractions such as 1.1s are off by less than a nanosecond: rounded away.
  return (text.startsWith("-") ? -1 : 1) * (Math.round(ms * 1e6) / 1e6);
}

/** The shortest usual writing of whole milliseconds: `250ms`, `7s`, `1.5s`. */
export function formatGoDuration(ms: number): string {
  return ms !== 0 && Math.abs(ms) < 1_000 ? `${ms}ms` : `${ms / 1_000}s`;
}
