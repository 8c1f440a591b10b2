"use client";
import { ActionIcon } from "@mantine/core";
import { IconTrash } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { LoadReport } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import type { UrlState } from "../lib/url-state.ts";
import { SortedTable } from "../list/sorted-table.tsx";
import type { Column } from "../ui/data-table.tsx";
import { Moment, NumberWithUnit } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./load.module.css";
import { forgetLoadTest } from "./load-queries.ts";
import { failedShare } from "./report-figures.ts";

/** Those that are kept. `?test=` is shown, `?beside=` compared with it. */
export function ReportsTable({
  reports,
  url,
  onChanged,
}: {
  reports: readonly LoadReport[];
  url: UrlState;
  onChanged(): void;
}) {
  const t = useTranslations("load-test");
  const authorOf = useAuthor();
  const [shown, beside] = [url.get("test"), url.get("beside")];
  const forget = (id: string) => {
    if (id === shown) url.set({ test: null });
    if (id === beside) url.set({ beside: null });
    void forgetLoadTest(id).then(onChanged, onChanged);
  };
  const columns: Column<LoadReport>[] = [
    {
      key: "began",
      header: t("col-began"),
      phone: "title",
      sortValue: ({ startedAt }) => startedAt,
      cell: ({ id, startedAt, author }) => (
        <>
          <button
            type="button"
            className={styles.open}
            onClick={() => url.set({ test: id }, "push")}
            data-testid="load-show"
          >
            <Moment ms={startedAt} />
          </button>{" "}
          <span className="muted">{authorOf(author)}</span>
        </>
      ),
    },
    {
      key: "request",
      header: t("col-request"),
      cell: ({ plan }) => (
        <span className={styles.target}>
          {plan.method} {plan.headers.host ?? new URL(plan.url).host}
          {new URL(plan.url).pathname}
          {plan.also.length > 0 && <span className="muted"> {t("and-more", { count: plan.also.length })}</span>}
        </span>
      ),
    },
    {
      key: "rate",
      header: t("col-rate"),
      align: "right",
      sortValue: ({ plan }) => plan.rate,
      cell: ({ plan }) => <NumberWithUnit value={plan.rate} kind="rps" />,
    },
    {
      key: "failed",
      header: t("col-failed"),
      align: "right",
      sortValue: ({ outcome }) => failedShare(outcome) ?? 0,
      cell: ({ outcome }) => (
        <NumberWithUnit value={failedShare(outcome)} kind="share" tone={outcome.due > outcome.ok ? "bad" : "plain"} />
      ),
    },
    {
      key: "p50",
      header: "p50",
      align: "right",
      sortValue: ({ outcome }) => outcome.latency.p50 ?? 0,
      cell: ({ outcome }) => <NumberWithUnit value={outcome.latency.p50} kind="ms" />,
    },
    {
      key: "p99",
      header: "p99",
      align: "right",
      sortValue: ({ outcome }) => outcome.latency.p99 ?? 0,
      cell: ({ outcome }) => <NumberWithUnit value={outcome.latency.p99} kind="ms" />,
    },
    {
      key: "do",
      header: "",
      align: "right",
      cell: ({ id }) => (
        <span className={styles.actions}>
          {shown !== null && shown !== id && (
            <button
              type="button"
              className={styles.open}
              aria-pressed={beside === id}
              onClick={() => url.set({ beside: beside === id ? null : id }, "push")}
              data-testid="load-beside"
            >
              {t(beside === id ? "beside-off" : "beside")}
            </button>
          )}
          <ActionIcon variant="subtle" color="gray" aria-label={t("forget")} onClick={() => forget(id)}>
            <IconTrash size={15} aria-hidden />
          </ActionIcon>
        </span>
      ),
    },
  ];
  return (
    <SortedTable
      caption={t("kept")}
      columns={columns}
      rows={reports}
      rowKey={({ id }) => id}
      defaultSort="-began"
      isSelected={({ id }) => id === shown}
      rowProps={({ id }) => ({ "data-report": id })}
      empty={<EmptyState title={t("none")}>{t("none-text")}</EmptyState>}
    />
  );
}
