"use client";
import { useTranslations } from "use-intl";
import type { LeftOut } from "../../server/contract/index.ts";
import styles from "./advice.module.css";
import { Sample } from "./rule-list.tsx";

/** What no rule is proposed for, and why. */
export function LeftOutList({ list }: { list: readonly LeftOut[] }) {
  const t = useTranslations("advice");
  if (list.length === 0) return null;
  return (
    <section aria-label={t("left-out")} data-testid="left-out">
      <h3 className={styles.heading}>{t("left-out")}</h3>
      <ul className={styles.plain}>
        {list.map(({ reason, caller, calls, sample }) => (
          <li key={`${reason} ${caller}`} className={styles.rule}>
            <b>{caller || t("unknown")}</b> {t("calls", { calls })}: {t(`because-${reason}`)}
            {sample && <Sample sample={sample} />}
          </li>
        ))}
      </ul>
    </section>
  );
}
