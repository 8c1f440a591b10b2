"use client";
import { useLocale } from "use-intl";
import { formatNumber } from "../ui/format.ts";
import { Amount } from "../ui/quantity.tsx";

/** How many calls; none is a dash, so that the eye rests where there are some. */
export function Count({ value, tone = "plain" }: { value: number; tone?: "plain" | "warn" | "bad" }) {
  const locale = useLocale();
  if (value === 0) return <span className="muted">–</span>;
  return <Amount {...formatNumber(value, locale)} tone={tone} />;
}
