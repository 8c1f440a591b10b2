const format = (value: number, unit: string, locale: string): string =>
  new Intl.NumberFormat(locale, { style: "unit", unit, unitDisplay: "narrow" }).format(value);

/** How long something has been so, in one unit, two from an hour on: `9s`, `12m`, `1h 12m`, `3d`. Never negative. */
export function formatAge(ms: number, locale: string): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return format(seconds, "second", locale);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return format(minutes, "minute", locale);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return format(Math.floor(hours / 24), "day", locale);
  const rest = minutes % 60;
  return rest === 0
    ? format(hours, "hour", locale)
    : `${format(hours, "hour", locale)} ${format(rest, "minute", locale)}`;
}
