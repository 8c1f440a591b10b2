"use client";
import { useTranslations } from "use-intl";
import type { SyncState } from "../../server/contract/index.ts";
import styles from "./sync-mark.module.css";

/** A state as a colour and a shape: dot, square, triangle, hollow ring. */
export function SyncMark({ state, silent = false }: { state: SyncState; silent?: boolean }) {
  const t = useTranslations("proxies");
  const named = silent ? { "aria-hidden": true } : { role: "img", "aria-label": t(`state-${state}`) };
  return <i className={styles.mark} data-state={state} {...named} />;
}
