"use client";
import { useTranslations } from "use-intl";
import type { Check } from "../../server/contract/index.ts";
import styles from "./explain.module.css";
import { Mark } from "./mark.tsx";

/** Conditions, each with what it met. */
export function CheckList({ checks }: { checks: readonly Check[] }) {
  return (
    <ul className={styles.checks}>
      {checks.map((check, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a condition is its place
        <li key={index}>
          <CheckLine check={check} />
          {check.of.length > 0 && <CheckList checks={check.of} />}
        </li>
      ))}
    </ul>
  );
}

/** One of them, in a line: what is asked for, and what the request has. `bare`: where it is said before that it does not hold. */
export function CheckLine({ check, bare = false }: { check: Check; bare?: boolean }) {
  const t = useTranslations("explain");
  const { subject, name, operator, value, not, ignoreCase, has, ok } = check;
  const named = subject === "header" || subject === "query" || subject === "other";
  const isText = value !== "" || operator === "exact";
  return (
    <span className={styles.check}>
      {!bare && <Mark ok={ok} />}
      <span>
        {subject !== "other" && t(`subject-${subject}`)} {named && name && <span className="mono">{name}</span>}{" "}
        <span className={styles.quiet}>
          {not && t("not")} {t(`operator-${operator}`)}
        </span>{" "}
        {isText && <code>{value || "“”"}</code>} {ignoreCase && <span className={styles.quiet}>{t("any-case")}</span>}
        {check.of.length === 0 && operator !== "any" && operator !== "unknown" && operator !== "share" && (
          <span className={styles.has}>
            {has === null ? t("has-none") : t.rich("has", { value: () => <code>{has || "“”"}</code> })}
          </span>
        )}
      </span>
    </span>
  );
}
