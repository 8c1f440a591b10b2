"use client";
import { IconCheck, IconMinus, IconQuestionMark, IconX } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import styles from "./explain.module.css";

/** Holds, does not hold, can't be told; `"skipped"`: was not looked at. Told by its shape, too. */
export function Mark({ ok }: { ok: boolean | null | "skipped" }) {
  const t = useTranslations("explain");
  const kind = ok === "skipped" ? "skipped" : ok === null ? "unknown" : ok ? "holds" : "fails";
  const Icon = { holds: IconCheck, fails: IconX, unknown: IconQuestionMark, skipped: IconMinus }[kind];
  return (
    <Icon size={14} stroke={2.4} className={styles.mark} data-kind={kind} role="img" aria-label={t(`mark-${kind}`)} />
  );
}
