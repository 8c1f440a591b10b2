"use client";
import { useLocale, useTranslations } from "use-intl";
import { applicationLinesHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";
import { useLinesOfTrace } from "./application-queries.ts";
import { clockTime } from "./clock-time.ts";
import styles from "./logs.module.css";
import { SeverityMark } from "./severity.tsx";

const mostShown = 8;

/** What applications wrote while they served the trace, or (`spanId`) one span of it; nothing while there is nothing. */
export function TraceLines({ traceId, spanId }: { traceId: string; spanId?: string }) {
  const t = useTranslations("logs");
  const locale = useLocale();
  const all = useLinesOfTrace(traceId).data?.entries ?? [];
  const lines = (spanId === undefined ? all : all.filter((line) => line.spanId === spanId)).toReversed();
  if (lines.length === 0) return null;
  return (
    <div className={styles.traceLines} data-testid="trace-lines">
      <h3>{t("trace-lines")}</h3>
      <ul>
        {lines.slice(0, mostShown).map(({ id, at, service, severity, severityText, body, eventName }) => (
          <li key={id}>
            <span className="num muted" suppressHydrationWarning>
              {clockTime(at, locale)}
            </span>{" "}
            <SeverityMark severity={severity} text={severityText} /> <b>{service}</b>{" "}
            <span className="mono">{body || eventName}</span>
          </li>
        ))}
      </ul>
      {lines.length > mostShown && (
        <Link className="link" href={applicationLinesHref({ trace: traceId })}>
          {t("trace-lines-all", { count: lines.length })}
        </Link>
      )}
    </div>
  );
}
