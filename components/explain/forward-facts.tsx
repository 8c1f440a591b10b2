"use client";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ExplainedForward } from "../../server/contract/index.ts";
import { formatMs, quantityText } from "../ui/format.ts";
import styles from "./explain.module.css";
import { Percent } from "./percent.tsx";

/** What the route has beside where it leads to. */
export function ForwardFacts({ forward }: { forward: ExplainedForward }) {
  const t = useTranslations("explain");
  const locale = useLocale();
  const ms = (value: number) => quantityText(formatMs(value, locale));
  const { timeoutMs, retry, mirrors, path, authority, hashedBy, requestHeaders, responseHeaders } = forward;
  return (
    <dl className={styles.facts}>
      <Fact name={t("timeout")}>{timeoutMs === 0 ? t("none") : ms(timeoutMs)}</Fact>
      {retry && retry.attempts > 0 && (
        <Fact name={t("retries")}>
          {t("retries-on", { attempts: retry.attempts })} <code>{retry.on}</code>
          {retry.perTryTimeoutMs > 0 && ` · ${t("each-try", { timeout: ms(retry.perTryTimeoutMs) })}`}
        </Fact>
      )}
      {mirrors.map(({ cluster, share }) => (
        <Fact key={cluster} name={t("mirror")}>
          <Percent share={share} /> <span className="mono">{cluster}</span>
        </Fact>
      ))}
      {path !== null && (
        <Fact name={t("rewritten-path")}>
          <code>{path}</code>
        </Fact>
      )}
      {authority !== null && (
        <Fact name={t("rewritten-authority")}>
          <code>{authority}</code>
        </Fact>
      )}
      {hashedBy.length > 0 && <Fact name={t("placed-by")}>{hashedBy.join(", ")}</Fact>}
      {requestHeaders.length > 0 && <Fact name={t("request-headers")}>{requestHeaders.join(", ")}</Fact>}
      {responseHeaders.length > 0 && <Fact name={t("response-headers")}>{responseHeaders.join(", ")}</Fact>}
    </dl>
  );
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);
