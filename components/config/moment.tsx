"use client";
import { useLocale } from "use-intl";
import { formatTimeOfDay } from "../ui/format.ts";

/** A moment: the time of day when it is of today, with its date when not. */
export function Moment({ ms }: { ms: number }) {
  const locale = useLocale();
  const date = new Date(ms);
  const today = date.toDateString() === new Date().toDateString();
  const day = today ? "" : `${new Intl.DateTimeFormat(locale, { month: "short", day: "numeric" }).format(date)} `;
  return (
    <time dateTime={date.toISOString()} suppressHydrationWarning>
      {day}
      {formatTimeOfDay(ms, locale)}
    </time>
  );
}
