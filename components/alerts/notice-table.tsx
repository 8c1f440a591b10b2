"use client";
import { useLocale, useTranslations } from "use-intl";
import type { Notice } from "../../server/contract/index.ts";
import { useErrorText } from "../lib/error-text.ts";
import { objectHref } from "../lib/links.ts";
import { SortedTable } from "../list/sorted-table.tsx";
import type { Column } from "../ui/data-table.tsx";
import { formatSpan } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Moment } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./alerts.module.css";
import { Subject, useNoticeText } from "./notice-text.tsx";

const health = { Critical: "failing", Warning: "degraded", Info: "idle" } as const;
const rank = { Critical: 2, Warning: 1, Info: 0 } as const;

/** What lasts, or what is over: whom it is about, what was told, and who heard of it. */
export function NoticeTable({ notices, now, over }: { notices: readonly Notice[]; now: number; over: boolean }) {
  const t = useTranslations("alerts");
  const locale = useLocale();
  const textOf = useNoticeText();
  const columns: Column<Notice>[] = [
    {
      key: "subject",
      header: t("col-subject"),
      phone: "title",
      sortValue: ({ subject }) => `${subject.namespace}/${subject.name}`,
      cell: (notice) => (
        <span className={styles.subject}>
          <HealthMark health={over ? "healthy" : health[notice.severity]} silent />
          <span>
            <Subject subject={notice.subject} />
          </span>
        </span>
      ),
    },
    {
      key: "what",
      header: t("col-what"),
      cell: (notice) => (
        <>
          {textOf(notice)}
          {notice.worst !== notice.value && notice.worst > 0 && (
            <span className="muted"> {t("worst", { text: textOf(notice, notice.worst) })}</span>
          )}
        </>
      ),
    },
    {
      key: "severity",
      header: t("col-severity"),
      sortValue: ({ severity }) => rank[severity],
      cell: ({ severity }) => <span className={styles.word}>{t(`severity-${severity}`)}</span>,
    },
    {
      key: "fired",
      header: t("col-fired"),
      align: "right",
      sortValue: ({ firedAt }) => firedAt,
      cell: ({ firedAt }) => <Moment ms={firedAt} />,
    },
    {
      key: "lasted",
      header: t("col-lasted"),
      align: "right",
      sortValue: ({ firedAt, clearedAt }) => (clearedAt ?? now) - firedAt,
      cell: ({ firedAt, clearedAt, end }) => (
        <>
          {formatSpan(Math.max(1, Math.round(((clearedAt ?? now) - firedAt) / 1000)), locale)}
          {end && <span className="muted"> · {t(`end-${end}`)}</span>}
        </>
      ),
    },
    { key: "rule", header: t("col-rule"), cell: (notice) => <Rule notice={notice} /> },
    { key: "told", header: t("col-told"), cell: (notice) => <Deliveries notice={notice} /> },
  ];
  return (
    <SortedTable
      caption={t(over ? "over" : "active")}
      columns={columns}
      rows={notices}
      rowKey={({ id }) => id}
      defaultSort={over ? "-fired" : "-severity"}
      rowProps={({ rule, subject, end }) => ({
        "data-notice": `${rule} ${subject.name}`,
        "data-over": String(over),
        ...(end && { "data-end": end }),
      })}
      empty={<EmptyState title={t(over ? "none-over" : "none-active")}>{over ? undefined : t("none-text")}</EmptyState>}
    />
  );
}

function Rule({ notice: { rule, builtIn } }: { notice: Notice }) {
  const t = useTranslations("alerts");
  if (builtIn) return <span className="muted">{t("built-in", { rule })}</span>;
  const [namespace = "", name = ""] = rule.split("/");
  return (
    <ObjectLink className="link" href={objectHref("AlertRule", namespace, name)}>
      {rule}
    </ObjectLink>
  );
}

/** Who heard of it, who is still being told, and who is not: with the reason, in sight. */
function Deliveries({ notice: { deliveries } }: { notice: Notice }) {
  const t = useTranslations("alerts");
  const textOf = useErrorText();
  if (deliveries.length === 0) return <span className="muted">{t("told-nobody")}</span>;
  // Of each receiver what it has not taken yet, or else the last.
  const byReceiver = Map.groupBy(deliveries, ({ receiver }) => receiver);
  const shown = [...byReceiver.values()].flatMap(
    (all) => all.find(({ state }) => state !== "sent") ?? all.at(-1) ?? [],
  );
  return (
    <ul className={styles.told}>
      {shown.map(({ receiver: name, state, why }) => (
        <li key={name} data-receiver={name} data-state={state} data-failed={state === "failed" || undefined}>
          {state === "sent"
            ? name
            : state === "failed"
              ? t("told-failed", { name, why: why ? textOf(why) : "" })
              : why
                ? t("told-again", { name, why: textOf(why) })
                : t("told-waiting", { name })}
        </li>
      ))}
    </ul>
  );
}
