"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Change } from "../../server/contract/index.ts";
import { Moment } from "../ui/quantity.tsx";
import styles from "./change-history.module.css";
import { useAuthor, useChangeText } from "./change-text.ts";
import { foldCanaries } from "./fold-canaries.ts";

export interface ChangeRowsProps {
  changes: readonly Change[];
  /** What can be done about one. */
  actions?: ((change: Change) => ReactNode) | undefined;
}

/** Changes as lines, newest first; a canary's run is one. */
export function ChangeRows({ changes, actions }: ChangeRowsProps) {
  const t = useTranslations("config");
  const said = useChangeText();
  const authorOf = useAuthor();
  return (
    <ul className={styles.list}>
      {foldCanaries(changes).map(({ change, earlier }) => (
        <li key={change.revision} data-revision={change.revision} data-kind={change.kind}>
          <span className={styles.when}>
            <Moment ms={change.at} />
          </span>
          <span className={styles.what}>
            <i data-kind={change.kind} aria-hidden />
            {said(change)}
            {earlier.length > 0 && (
              <details className={styles.earlier}>
                <summary>{t("canary-earlier", { count: earlier.length })}</summary>
                <ol reversed>
                  {earlier.map((one) => (
                    <li key={one.revision}>
                      <Moment ms={one.at} /> {said(one)} · {authorOf(one.author)} ·{" "}
                      {t("revision", { revision: one.revision })}
                    </li>
                  ))}
                </ol>
              </details>
            )}
          </span>
          <span className={styles.who}>
            {authorOf(change.author)} · {t("revision", { revision: change.revision })}
          </span>
          {actions && <span className={styles.actions}>{actions(change)}</span>}
        </li>
      ))}
    </ul>
  );
}
