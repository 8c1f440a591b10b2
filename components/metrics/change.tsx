"use client";
import { useLocale } from "use-intl";
import { percentText } from "../ui/format.ts";

/** `+12 %`, `−3 %`; a dash where nothing can be said. */
export function Change({ of }: { of: number | null }) {
  const text = changeText(of, useLocale());
  return <span className={of === null ? "muted" : "num muted"}>{text || "–"}</span>;
}

/** Empty where nothing can be said. */
export function changeText(of: number | null, locale: string): string {
  if (of === null) return "";
  const percent = new Intl.NumberFormat(locale, {
    style: "percent",
    signDisplay: "exceptZero",
    maximumFractionDigits: Math.abs(of) < 0.0995 ? 1 : 0,
  });
  return percentText(percent, of);
}
