"use client";
import { useTranslations } from "use-intl";
import styles from "./merge.module.css";

/** Where a change would be applied, while it must first be put together with somebody else's. */
export function ConflictNote() {
  const t = useTranslations("merge");
  return <p className={styles.note}>{t("first")}</p>;
}
