"use client";
import { useMemo } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Change, ChangeList } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import type { Settled } from "../lib/api.ts";
import { useChanges } from "../lib/queries.ts";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { useFilter } from "../list/use-filter.ts";
import type { Column } from "../ui/data-table.tsx";
import { formatSpan } from "../ui/format.ts";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { serviceKey, useFaultColumns } from "./fault-columns.tsx";
import { faultHistory, type PastFault } from "./fault-history.ts";

const limit = 200;
const mostShown = 50;

/** What was injected lately and is over, by whom, and what ended it. */
export function FaultHistoryPanel({ initial }: { initial: Settled<ChangeList> }) {
  const t = useTranslations("faults");
  const live = useChanges({ sinceMs: 0, limit }, initial);
  return (
    <Panel title={t("recent")} flush data-testid="history">
      <LiveContent live={live} skeleton={<TableSkeleton rows={4} columns={5} />}>
        {({ changes }) => <PastFaults changes={changes} />}
      </LiveContent>
    </Panel>
  );
}

function PastFaults({ changes }: { changes: readonly Change[] }) {
  const t = useTranslations("faults");
  const matches = useFilter();
  const past = useMemo(() => faultHistory(changes), [changes]);
  const columns: Column<PastFault>[] = [
    ...useFaultColumns(() => <span className="muted">{t("started-unknown")}</span>),
    {
      key: "ended",
      header: t("col-ended"),
      sortValue: ({ ended }) => ended.at,
      cell: (row) => <End past={row} />,
    },
  ];
  return (
    <SortedTable
      caption={t("recent")}
      columns={columns}
      rows={past.filter(({ fault }) => matches(serviceKey(fault))).slice(0, mostShown)}
      rowKey={({ key }) => key}
      defaultSort="-started"
      rowProps={({ ended }) => ({ "data-ended": ended.how })}
      empty={
        past.length === 0 ? (
          <EmptyState title={t("recent-none")}>{t("recent-none-text")}</EmptyState>
        ) : (
          <NoMatch title={t("no-match")} filters={["filter"]} />
        )
      }
    />
  );
}

function End({ past: { started, ended } }: { past: PastFault }) {
  const t = useTranslations("faults");
  const authorOf = useAuthor();
  const locale = useLocale();
  const seconds = started && Math.max(1, Math.round((ended.at - started.at) / 1000));
  return (
    <>
      <Moment ms={ended.at} />{" "}
      <span className="muted">
        {ended.how === "fuse" ? t("ended-fuse") : t("ended-by", { author: authorOf(ended.by) })}
        {seconds !== null && ` · ${t("ended-after", { span: formatSpan(seconds, locale) })}`}
      </span>
    </>
  );
}
