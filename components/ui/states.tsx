"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Moment } from "./quantity.tsx";
import styles from "./states.module.css";

/** What would be here, and the way there. */
export function EmptyState({
  title,
  children,
  action,
}: {
  title: ReactNode;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className={styles.state} data-testid="empty-state">
      <p className={styles.title}>{title}</p>
      {children && <p className={styles.text}>{children}</p>}
      {action}
    </div>
  );
}

export interface ErrorStateProps {
  /** What failed, in words for people. */
  title: ReactNode;
  /** The error's own message. */
  detail?: ReactNode;
  /** Since when, Unix milliseconds. */
  since?: number | null;
  /** What still works meanwhile. */
  works?: ReactNode;
  onRetry?: () => void;
}

/** What failed, since when, what still works; it says that it goes on trying. */
export function ErrorState({ title, detail, since, works, onRetry }: ErrorStateProps) {
  const t = useTranslations("ui.error");
  return (
    <div className={`${styles.state} ${styles.error}`} role="alert" data-testid="error-state">
      <p className={styles.title}>{title}</p>
      {detail && <p className={styles.detail}>{detail}</p>}
      <p className={styles.text}>
        {since ? t.rich("since", { time: () => <Moment ms={since} /> }) : null} {works} {t("retrying")}
      </p>
      {onRetry && <Button onClick={onRetry}>{t("retry")}</Button>}
    </div>
  );
}

/** The same, as one line above content that is shown all the same. */
export function Notice({ tone, children }: { tone: "warn" | "bad"; children: ReactNode }) {
  return (
    <div className={`${styles.notice} ${styles[tone]}`} role="status">
      {children}
    </div>
  );
}
