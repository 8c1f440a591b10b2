import { useTranslations } from "use-intl";
import styles from "./health-mark.module.css";

export type HealthLevel = "healthy" | "degraded" | "failing" | "idle";

/** Health as a colour and a shape: dot, square, triangle, hollow ring. Says its name to a screen reader unless `silent`. */
export function HealthMark({ health, silent = false }: { health: HealthLevel; silent?: boolean }) {
  const t = useTranslations("ui.health");
  const named = silent ? { "aria-hidden": true } : { role: "img", "aria-label": t(health), title: t(health) };
  return <i className={`${styles.mark} ${styles[health]}`} data-health={health} {...named} />;
}
