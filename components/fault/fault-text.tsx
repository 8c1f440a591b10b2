"use client";
import { useLocale, useTranslations } from "use-intl";
import type { Fault } from "../../server/contract/index.ts";

/** `50 % delayed by 2 s, 10 % answered with 503`. */
export function useFaultText(): (fault: Pick<Fault, "delay" | "abort">) => string {
  const t = useTranslations("faults");
  const locale = useLocale();
  return ({ delay, abort }) =>
    [
      delay && t("delayed", { percentage: delay.percentage, delay: delayText(delay.fixedDelayMs, locale) }),
      abort && t("aborted", { percentage: abort.percentage, status: abort.grpcStatus ?? String(abort.httpStatus) }),
    ]
      .filter(Boolean)
      .join(", ");
}

/** As it was asked for, not as it was measured: `800 ms`, `2 s`, `1.5 s`. */
export const delayText = (ms: number, locale: string): string => {
  const format = new Intl.NumberFormat(locale, { maximumFractionDigits: 3 });
  return ms < 1000 ? `${format.format(ms)} ms` : `${format.format(ms / 1000)} s`;
};
