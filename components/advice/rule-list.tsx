"use client";
import { useLocale, useTranslations } from "use-intl";
import type { AdvisedRule, CallSample } from "../../server/contract/index.ts";
import { logsOfHref, logTraceHref } from "../lib/links.ts";
import { formatDateTime } from "../ui/format.ts";
import { ObjectLink } from "../ui/object-link.tsx";
import styles from "./advice.module.css";

/** Who may do what, each rule with the calls that it was made from. */
export function RuleList({ rules }: { rules: readonly AdvisedRule[] }) {
  const t = useTranslations("advice");
  const locale = useLocale();
  if (rules.length === 0) return <p className={styles.quiet}>{t("no-rules")}</p>;
  return (
    <ul className={styles.plain}>
      {rules.map((rule) => (
        <li key={rule.principals.join()} className={styles.rule} data-testid="advised-rule">
          {rule.principals.map((principal) => (
            <code key={principal}>{principal}</code>
          ))}
          <ul className={styles.plain}>
            {rule.operations.map(({ port, methods, paths }) => (
              <li key={`${port} ${methods.join()}`}>
                {methods.length === 0 ? "TCP" : methods.join(", ")} :{port}{" "}
                {paths.map((path) => (
                  <code key={path}>{path}</code>
                ))}
              </li>
            ))}
          </ul>
          {rule.generalised.map(({ template, paths, example }) => (
            <small key={template}>{t("generalised", { template, paths, example })}</small>
          ))}
          {rule.asSeen > 0 && <small>{t("as-seen", { paths: rule.asSeen })}</small>}
          {rule.probes ? (
            <small>{t("for-probes")}</small>
          ) : (
            <details>
              <summary>{t("calls", { calls: rule.calls })}</summary>
              <small suppressHydrationWarning>
                {t("seen", { first: formatDateTime(rule.firstAt, locale), last: formatDateTime(rule.lastAt, locale) })}
              </small>
              <ul className={styles.plain}>
                {rule.samples.map((sample) => (
                  <li key={`${sample.requestId} ${sample.at}`}>
                    <Sample sample={sample} />
                  </li>
                ))}
              </ul>
            </details>
          )}
        </li>
      ))}
    </ul>
  );
}

const minuteMs = 60_000;

/** One call, with the way to its trace, or to its line: that one a call has of which no trace is kept. */
export function Sample({ sample, to = "trace" }: { sample: CallSample; to?: "trace" | "line" }) {
  const { method, path, code, requestId, traceId, at } = sample;
  const locale = useLocale();
  const words = (
    <>
      {method} {path} {code > 0 && code}
    </>
  );
  return (
    <span className={styles.sample}>
      <span suppressHydrationWarning>{formatDateTime(at, locale)}</span>{" "}
      {traceId || requestId ? (
        <ObjectLink
          className="link mono"
          href={
            traceId && (to === "trace" || !requestId)
              ? logTraceHref(traceId)
              : logsOfHref({ request: requestId, from: String(at - minuteMs), to: String(at + minuteMs) })
          }
        >
          {words}
        </ObjectLink>
      ) : (
        <span className="mono">{words}</span>
      )}
    </span>
  );
}
