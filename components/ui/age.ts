import { inUnit } from "./units.ts";

/** How long something has been so, in one unit, two from an hour on: `9 s`, `12 min`, `1 h 12 min`, `3 d`. Never negative. */
export function formatAge(ms: number, locale: string): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return inUnit(seconds, "second", locale);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return inUnit(minutes, "minute", locale);
  const hours = Math.floor(minutes / 60);
  if (hours >= 24) return inUnit(Math.floor(hours / 24), "day", locale);
  const rest = minutes % 60;
  return rest === 0
    ? inUnit(hours, "hour", locale)
    : `${inUnit(hours, "hour", locale)} ${inUnit(rest, "minute", locale)}`;
}
