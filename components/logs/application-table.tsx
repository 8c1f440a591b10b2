"use client";
import { Fragment } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ApplicationLog } from "../../server/contract/index.ts";
import { logTraceHref, traceLogsHref } from "../lib/links.ts";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Pairs } from "../ui/pairs.tsx";
import { clockTime } from "./clock-time.ts";
import styles from "./logs.module.css";
import { SeverityMark } from "./severity.tsx";

const columns = ["time", "severity", "service", "body"] as const;

export interface ApplicationTableProps {
  lines: readonly ApplicationLog[];
  opened: string | null;
  onOpen: (id: string | null) => void;
  /** The pointer came over the lines, or left them. */
  onPoint: (inside: boolean) => void;
}

/** One line a row; a press shows all that came with it. */
export function ApplicationTable({ lines, opened, onOpen, onPoint }: ApplicationTableProps) {
  const t = useTranslations("logs");
  const locale = useLocale();
  return (
    <div
      className={styles.scroll}
      onPointerEnter={({ pointerType }) => pointerType === "mouse" && onPoint(true)}
      onPointerLeave={() => onPoint(false)}
    >
      <table className={styles.table} data-testid="application-table">
        <caption className="visually-hidden">{t("applications")}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {t(`col-${column}`)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {lines.map((line) => {
            const isOpen = opened === String(line.id);
            const toggle = () => onOpen(isOpen ? null : String(line.id));
            const time = clockTime(line.at, locale);
            return (
              <Fragment key={line.id}>
                <tr
                  className={styles.row}
                  data-testid="application-row"
                  data-selected={isOpen || undefined}
                  onClick={({ target }) => (target instanceof Element && target.closest("a, button")) || toggle()}
                >
                  <td data-cell="time">
                    <button
                      type="button"
                      className={`num ${styles.time}`}
                      aria-expanded={isOpen}
                      aria-label={t("row", { time, request: line.body.slice(0, 80) })}
                      onClick={toggle}
                      suppressHydrationWarning
                    >
                      {time}
                    </button>
                  </td>
                  <td data-cell="code">
                    <SeverityMark severity={line.severity} text={line.severityText} />
                  </td>
                  <td data-cell="peers">{line.service}</td>
                  <td data-cell="request" className="mono" title={line.body}>
                    {line.body || line.eventName}
                  </td>
                </tr>
                {isOpen && (
                  <tr className={styles.opened} data-testid="application-details">
                    <td colSpan={columns.length}>
                      <ApplicationDetails line={line} />
                    </td>
                  </tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function ApplicationDetails({ line }: { line: ApplicationLog }) {
  const t = useTranslations("logs");
  const { body, eventName, traceId, spanId, scope, scopeAttributes, attributes, resource } = line;
  return (
    <div className={styles.application}>
      <pre className={styles.body}>{body}</pre>
      {traceId !== "" && (
        <p>
          <ObjectLink
            className="link"
            href={`${logTraceHref(traceId)}${spanId ? `?at=${spanId}` : ""}`}
            data-testid="application-trace"
          >
            {t("to-trace")}
          </ObjectLink>{" "}
          ·{" "}
          <Link className="link" href={traceLogsHref(traceId)} data-testid="application-requests">
            {t("to-requests")}
          </Link>
        </p>
      )}
      <Pairs
        facts={{
          ...attributes,
          ...(eventName && { "event.name": eventName }),
          ...(scope && { "otel.scope.name": scope }),
          ...Object.fromEntries(Object.entries(scopeAttributes).map(([key, value]) => [`otel.scope.${key}`, value])),
          ...resource,
        }}
      />
    </div>
  );
}
