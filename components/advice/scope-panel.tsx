"use client";
import { useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ScopeAdvice } from "../../server/contract/index.ts";
import { Panel } from "../ui/panel.tsx";
import { Notice } from "../ui/states.tsx";
import styles from "./advice.module.css";
import { ApplyText } from "./apply-text.tsx";

/** Whom proxies need to know, and what they save by knowing nobody else. */
export function ScopePanel({ advice }: { advice: ScopeAdvice }) {
  const t = useTranslations("advice");
  const locale = useLocale();
  const [text, setText] = useState(advice.yaml);
  const { size, hosts, unknown } = advice;
  const number = (value: number) => value.toLocaleString(locale);
  return (
    <Panel title={t("show-scope")} hint={[advice.namespace, advice.workload].filter(Boolean).join("/")}>
      <div className={styles.stack} data-testid="advised-scope">
        <p className={styles.verdict}>
          {size
            ? t("size", {
                proxies: size.proxies,
                clusters: number(size.before.clusters),
                fewer: number(size.after.clusters),
                bytes: number(size.before.bytes),
                less: number(size.after.bytes),
              })
            : t("no-size")}
        </p>
        {unknown.length > 0 && (
          <Notice tone="warn">{t("unknown-hosts", { hosts: unknown.map(({ host }) => host).join(", ") })}</Notice>
        )}
        <div className={styles.columns}>
          <ul className={styles.plain}>
            {hosts.map(({ host, why, calls, external }) => (
              <li key={host} className={styles.rule}>
                <code>{host}</code> {why === "called" ? t("calls", { calls }) : t("needed")}
                {external && ` · ${t("external")}`}
              </li>
            ))}
          </ul>
          <ApplyText
            text={text}
            onText={setText}
            proposal={advice.yaml}
            kind="Sidecar"
            name={advice.workload ?? "default"}
          />
        </div>
      </div>
    </Panel>
  );
}
