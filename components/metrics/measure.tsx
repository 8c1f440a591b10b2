"use client";
import { useLocale } from "use-intl";
import { type ChartKind, formatters } from "../ui/chart-axis.ts";
import { Amount } from "../ui/quantity.tsx";

/** A value of a metric, as its chart writes it. */
export function Measure({ value, kind }: { value: number | null; kind: ChartKind }) {
  const locale = useLocale();
  return <Amount {...formatters[kind](value, locale)} />;
}
