"use client";
import { IconLock, IconLockOpen } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import styles from "./rule-card.module.css";
import type { WeightPart } from "./rule-parts.ts";

/** A locked weight stays when others are moved. */
export function LockButton({ part, onToggle }: { part: WeightPart; onToggle: () => void }) {
  const t = useTranslations("traffic");
  const Icon = part.locked ? IconLock : IconLockOpen;
  const label = part.locked ? t("unlock", { version: part.version }) : t("lock", { version: part.version });
  return (
    <button
      type="button"
      className={styles.lock}
      aria-pressed={part.locked}
      aria-label={label}
      title={label}
      onClick={onToggle}
      data-testid={`lock-${part.version}`}
    >
      <Icon size={14} stroke={1.8} aria-hidden />
    </button>
  );
}
