const formats = new Map<string, Intl.DateTimeFormat>();

/** The reader's own clock, to the millisecond. */
export function clockTime(ms: number, locale: string): string {
  const format =
    formats.get(locale) ??
    new Intl.DateTimeFormat(locale, {
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      fractionalSecondDigits: 3,
      hourCycle: "h23",
    });
  formats.set(locale, format);
  return format.format(ms);
}
