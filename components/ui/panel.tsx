import type { ReactNode } from "react";
import styles from "./panel.module.css";

export interface PanelProps {
  title?: ReactNode;
  /** Muted words after the title. */
  hint?: ReactNode;
  /** At the header's far end. */
  actions?: ReactNode;
  /** Without inner padding: for tables, lists and code. */
  flush?: boolean;
  footer?: ReactNode;
  children?: ReactNode;
  "data-testid"?: string;
}

/** A bordered surface with an optional header line and footer line. */
export function Panel({ title, hint, actions, flush = false, footer, children, ...rest }: PanelProps) {
  return (
    <section className={styles.panel} {...rest}>
      {(title || actions) && (
        <header className={styles.header}>
          {title && <h2>{title}</h2>}
          {hint && <span className={styles.hint}>{hint}</span>}
          {actions && <div className={styles.actions}>{actions}</div>}
        </header>
      )}
      {children && <div className={flush ? undefined : styles.body}>{children}</div>}
      {footer && <footer className={styles.footer}>{footer}</footer>}
    </section>
  );
}
