import type { ReactNode } from "react";
import styles from "./kpi.module.css";

/** One figure that counts, with what it is below it. Put several into a `KpiRow`. */
export function Kpi({
  label,
  children,
  tone = "plain",
}: {
  label: ReactNode;
  children: ReactNode;
  tone?: "plain" | "warn" | "bad";
}) {
  return (
    <div className={styles.kpi}>
      <dd className={`num ${styles[tone]}`}>{children}</dd>
      <dt>{label}</dt>
    </div>
  );
}

export function KpiRow({ children }: { children: ReactNode }) {
  return <dl className={styles.row}>{children}</dl>;
}
