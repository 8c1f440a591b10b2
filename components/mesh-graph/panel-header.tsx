"use client";
import { IconX } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { type HealthLevel, HealthMark } from "../ui/health-mark.tsx";
import styles from "./panel.module.css";

export interface PanelHeaderProps {
  health: HealthLevel;
  title: ReactNode;
  hint?: ReactNode;
  action?: ReactNode;
  onClose: () => void;
}

export function PanelHeader({ health, title, hint, action, onClose }: PanelHeaderProps) {
  const t = useTranslations("ui");
  return (
    <header className={styles.header}>
      <HealthMark health={health} />
      <h2>{title}</h2>
      {hint}
      <span className={styles.gap} />
      {action && <div className={styles.actions}>{action}</div>}
      <button type="button" className={styles.close} aria-label={t("close")} onClick={onClose}>
        <IconX size={16} aria-hidden />
      </button>
    </header>
  );
}
