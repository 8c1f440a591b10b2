import { type Severity, severities } from "../../server/contract/index.ts";
import styles from "./logs.module.css";

/** The name of the range that a SeverityNumber is in; what is not told is info. */
export function severityName(severity: number): Severity {
  const names = Object.entries(severities).filter(([, least]) => severity >= least);
  return (names.at(-1)?.[0] ?? "info") as Severity;
}

/** As its sender calls it. */
export function SeverityMark({ severity, text }: { severity: number; text: string }) {
  const name = severityName(severity);
  return (
    <span className={styles.severity} data-severity={name}>
      {text || name.toUpperCase()}
    </span>
  );
}
