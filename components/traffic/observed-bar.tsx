"use client";
import type { CSSProperties } from "react";
import { useLocale, useTranslations } from "use-intl";
import { versionColor } from "../ui/version-color.ts";
import type { ObservedShares } from "./observed-shares.ts";
import styles from "./rule-card.module.css";

/** What traffic really does right now, thinner, under what it should do. Shares are 0..1. */
export function ObservedBar({
  shares,
  of,
}: {
  shares: readonly { version: string; share: number }[];
  of: ObservedShares["of"];
}) {
  const t = useTranslations("traffic");
  const locale = useLocale();
  const seen = shares.some(({ share }) => share > 0);
  const format = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const text = shares.map(({ share }) => format.format(share * 100)).join(" / ");
  return (
    <>
      <div className={styles.observed} aria-hidden data-testid="observed-bar">
        {shares.map(({ version, share }) => (
          <i
            key={version}
            data-version={version}
            style={{ flexGrow: share, "--c": versionColor(version) } as CSSProperties}
          />
        ))}
      </div>
      <p className={`num ${styles.observedText}`} data-testid="observed-text">
        {seen ? t(of === "change" ? "observed-change" : "observed", { shares: text }) : t("observed-none")}
      </p>
    </>
  );
}
