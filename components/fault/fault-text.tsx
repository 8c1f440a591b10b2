"use client";
import { useLocale, useTranslations } from "use-intl";
import type { Fault } from "../../server/contract/index.ts";
import { formatMs, quantityText } from "../ui/format.ts";

/** `50 % delayed by 2 s, 10 % answered with 503`. */
export function useFaultText(): (fault: Pick<Fault, "delay" | "abort">) => string {
  const t = useTranslations("faults");
  const locale = useLocale();
  return ({ delay, abort }) =>
    [
      delay &&
        t("delayed", { percentage: delay.percentage, delay: quantityText(formatMs(delay.fixedDelayMs, locale)) }),
      abort && t("aborted", { percentage: abort.percentage, status: String(abort.httpStatus) }),
    ]
      .filter(Boolean)
      .join(", ");
}
