/** SI's symbols, the same in every place; a language that writes units in its own way has its own. */
const symbols = { second: "s", minute: "min", hour: "h", day: "d" } as const;

export type TimeUnit = keyof typeof symbols;

/** `5 min`, `1 h`; in Chinese `5分钟`. */
export function inUnit(value: number, unit: TimeUnit, locale: string, digits = 0): string {
  if (/^(zh|ja|ko)/.test(locale)) {
    const options = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: digits } as const;
    return new Intl.NumberFormat(locale, options).format(value);
  }
  return `${new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value)} ${symbols[unit]}`;
}
