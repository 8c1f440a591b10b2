import { useLocale, useTranslations } from "use-intl";
import type { CanaryStatus, CanaryView } from "../../server/contract/index.ts";
import { formatMs, quantityText } from "../ui/format.ts";

/** Why a canary is where it is, in the reader's language. */
export function useCanaryReason(): (canary: CanaryView & { status: CanaryStatus }) => string {
  const t = useTranslations("canary");
  const locale = useLocale();
  return ({ status, steps, from, to }) => {
    const { reason, fault, message, weight } = status;
    if (reason === "Worse" && fault) {
      const isTime = fault.by === "latency-max";
      const number = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
      const text = (value: number) => (isTime ? quantityText(formatMs(value, locale)) : number.format(value));
      return t(`fault-${fault.by}`, { version: to, old: from, value: text(fault.value), limit: text(fault.limit) });
    }
    if (reason === "Holding") {
      const share = status.weights[status.to.subset] ?? 0;
      const values = { step: status.step, steps: steps.length, version: to, weight, share, old: from };
      // Where others have a share too, the step's percentage is not what the split bar shows.
      return t(share === weight ? "step" : "of-both", values);
    }
    // Which versions and weights were found instead is told in the server's words.
    if (reason === "WeightsChanged" || reason === "NotShared") return t(`reason-${reason}`, { message });
    return t(`reason-${reason}`, { version: to, old: from });
  };
}
