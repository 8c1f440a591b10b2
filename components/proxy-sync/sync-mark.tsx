"use client";
import { useTranslations } from "use-intl";
import type { SyncState } from "../../server/contract/index.ts";
import styles from "./sync-mark.module.css";

/** A state as a colour and a shape: dot, square, triangle, hollow ring. */
export function SyncMark({ state }: { state: SyncState }) {
  const t = useTranslations("proxies");
  return <i className={styles.mark} data-state={state} role="img" aria-label={t(`state-${state}`)} />;
}
