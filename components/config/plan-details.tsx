import type { ReactNode } from "react";
import styles from "./plan-details.module.css";

export interface PlanDetailsProps {
  /** What is folded, in a word. */
  title: string;
  children: ReactNode;
  "data-testid"?: string;
}

/** What a form would write, for whoever wants to see it before. */
export function PlanDetails({ title, children, ...rest }: PlanDetailsProps) {
  return (
    <details className={styles.plan} {...rest}>
      <summary>{title}</summary>
      {children}
    </details>
  );
}
