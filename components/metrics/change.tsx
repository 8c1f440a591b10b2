"use client";
import { useLocale } from "use-intl";

/** `+12 %`, `−3 %`; nothing where nothing can be said. */
export function Change({ of }: { of: number | null }) {
  const locale = useLocale();
  if (of === null) return <span className="muted">–</span>;
  const percent = new Intl.NumberFormat(locale, {
    style: "percent",
    signDisplay: "exceptZero",
    maximumFractionDigits: Math.abs(of) < 0.0995 ? 1 : 0,
  });
  // In the sign of percent, English stands close; everywhere else here a unit has its space.
  return <span className="num muted">{percent.format(of).replace(/\s*%/, " %")}</span>;
}
