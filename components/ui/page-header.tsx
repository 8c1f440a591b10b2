import type { ReactNode } from "react";
import styles from "./page-header.module.css";

export interface PageHeaderProps {
  title: ReactNode;
  hint?: ReactNode;
  before?: ReactNode;
  children?: ReactNode;
}

/** A page's first line: its name, what it shows, and at the far end what can be done. */
export function PageHeader({ title, hint, before, children }: PageHeaderProps) {
  return (
    <header className={styles.header}>
      {before}
      <h1>{title}</h1>
      {hint && <span className="muted">{hint}</span>}
      {children && <div className={styles.actions}>{children}</div>}
    </header>
  );
}

/** The scrolling body of every page but the topology. */
export function Page({ children }: { children: ReactNode }) {
  return <div className={styles.page}>{children}</div>;
}
