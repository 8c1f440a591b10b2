"use client";
import { useLocale } from "use-intl";
import { percentText } from "../ui/format.ts";

/** A share between 0 and 1. */
export function Percent({ share }: { share: number }) {
  const format = new Intl.NumberFormat(useLocale(), { style: "percent", maximumFractionDigits: 1 });
  return <span className="num">{percentText(format, share)}</span>;
}
