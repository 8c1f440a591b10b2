"use client";
import Link from "next/link";
import { useMemo } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { ChangeList } from "../../server/contract/index.ts";
import { Moment } from "../config/moment.tsx";
import type { Settled } from "../lib/api.ts";
import { serviceHref } from "../lib/links.ts";
import { useChanges } from "../lib/queries.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { formatSpan } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";
import { Pill } from "../ui/pill.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { faultHistory, type PastFault } from "./fault-history.ts";
import { useFaultText } from "./fault-text.tsx";

const limit = 200;
const mostShown = 50;

/** What was injected lately, by whom, and what ended it. */
export function FaultHistoryPanel({ initial }: { initial: Settled<ChangeList> }) {
  const t = useTranslations("faults");
  const { data, error } = useChanges({ sinceMs: 0, limit }, initial);
  const past = useMemo(() => data && faultHistory(data.changes).slice(0, mostShown), [data]);
  const columns = useColumns();
  return (
    <Panel title={t("recent")} flush data-testid="history">
      {error && <Notice tone="warn">{error.message}</Notice>}
      {past ? (
        <DataTable
          caption={t("recent")}
          columns={columns}
          rows={past}
          rowKey={({ key }) => key}
          rowProps={({ ended }) => ({ "data-ended": ended?.how ?? "" })}
          empty={<EmptyState title={t("recent-none")} />}
        />
      ) : (
        !error && <TableSkeleton rows={4} columns={4} />
      )}
    </Panel>
  );
}

function useColumns(): Column<PastFault>[] {
  const t = useTranslations("faults");
  const text = useFaultText();
  return [
    {
      key: "service",
      header: t("col-service"),
      phone: "title",
      cell: ({ fault: { namespace, service } }) => (
        <>
          <Link className="link" href={serviceHref(namespace, service)}>
            {service}
          </Link>{" "}
          <span className="muted mono">{namespace}</span>
        </>
      ),
    },
    { key: "what", header: t("col-what"), phone: "title", cell: ({ fault }) => text(fault) },
    {
      key: "matches",
      header: t("col-matches"),
      phone: "title",
      cell: ({ fault: { matches } }) => (matches.length > 0 ? matches.join(t("or")) : t("every-request")),
    },
    {
      key: "started",
      header: t("col-started"),
      cell: ({ started }) =>
        started ? (
          <>
            <Moment ms={started.at} /> <span className="muted">{t("by", { author: started.by })}</span>
          </>
        ) : (
          <span className="muted">{t("started-unknown")}</span>
        ),
    },
    { key: "ended", header: t("col-ended"), cell: (past) => <End past={past} /> },
  ];
}

function End({ past: { started, ended } }: { past: PastFault }) {
  const t = useTranslations("faults");
  const locale = useLocale();
  if (!ended) return <Pill tone="bad">{t("burning")}</Pill>;
  const seconds = started && Math.max(1, Math.round((ended.at - started.at) / 1000));
  return (
    <>
      <Moment ms={ended.at} />{" "}
      <span className="muted">
        {ended.how === "fuse" ? t("ended-fuse") : t("ended-by", { author: ended.by })}
        {seconds !== null && ` · ${t("ended-after", { span: formatSpan(seconds, locale) })}`}
      </span>
    </>
  );
}
