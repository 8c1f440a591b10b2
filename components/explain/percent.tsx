"use client";
import { useLocale } from "use-intl";

/** A share between 0 and 1. */
export function Percent({ share }: { share: number }) {
  const text = new Intl.NumberFormat(useLocale(), { style: "percent", maximumFractionDigits: 1 }).format(share);
  return <span className="num">{text}</span>;
}
