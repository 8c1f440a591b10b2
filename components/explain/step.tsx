import type { ReactNode } from "react";
import styles from "./explain.module.css";

/** One thing that the proxy does, and what it found. */
export function Step({ name, children }: { name: string; children: ReactNode }) {
  return (
    <li className={styles.step}>
      <h3>{name}</h3>
      <div>{children}</div>
    </li>
  );
}
