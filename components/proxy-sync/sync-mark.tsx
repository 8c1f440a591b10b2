"use client";
import { useTranslations } from "use-intl";
import styles from "./sync-mark.module.css";
import type { ProxyState } from "./sync-state.ts";

/** A state as a colour and a shape: dot, square, triangle, hollow ring; a cross for a proxy that is gone. */
export function SyncMark({ state, silent = false }: { state: ProxyState; silent?: boolean }) {
  const t = useTranslations("proxies");
  const named = silent ? { "aria-hidden": true } : { role: "img", "aria-label": t(`state-${state}`) };
  return <i className={styles.mark} data-state={state} {...named} />;
}
