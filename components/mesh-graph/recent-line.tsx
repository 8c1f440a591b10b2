"use client";
import { useLocale, useTranslations } from "use-intl";
import type { Recent } from "../../server/contract/index.ts";
import { formatShare, formatSpan, quantityText } from "../ui/format.ts";
import styles from "./panel.module.css";

/** Why it is in a colour that the window's own figures don't explain yet. */
export function RecentLine({ recent }: { recent: Recent | undefined }) {
  const t = useTranslations("panel");
  const locale = useLocale();
  if (!recent) return null;
  const share = quantityText(formatShare(recent.errorShare, locale));
  return (
    <p className={styles.below} data-testid="recent">
      {t("recent", { share, span: formatSpan(recent.windowSec, locale) })}
    </p>
  );
}
