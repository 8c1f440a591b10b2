"use client";
import { NativeSelect } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { MutualTlsReport, MutualTlsTrend, WorkloadSecurity } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { useMutualTlsColumns } from "./mutual-tls-columns.tsx";
import { MutualTlsTrendPanel } from "./mutual-tls-trend.tsx";
import styles from "./security.module.css";
import { wholeMeshTarget } from "./security-address.ts";
import { useMutualTls } from "./security-queries.ts";
import { targetChoices } from "./target-choices.ts";

const keyOf = ({ namespace, name }: Pick<WorkloadSecurity, "namespace" | "name">) => `${namespace}/${name}`;

export interface MutualTlsTabProps {
  range: TimeRange;
  initial: Settled<MutualTlsReport> | undefined;
  initialTrend: Settled<MutualTlsTrend> | undefined;
}

/** What each port takes and how it was called, with the choice of what to preview STRICT for. */
export function MutualTlsTab({ range, initial, initialTrend }: MutualTlsTabProps) {
  const t = useTranslations("security");
  const url = useUrlState();
  const live = useMutualTls(range, initial);
  const columns = useMutualTlsColumns();
  const workloads = live.data?.workloads ?? [];
  const target = url.get("strict") ?? "";
  const names = [...new Set(workloads.map(({ namespace }) => namespace)), ...workloads.map(keyOf)];
  return (
    <div className={styles.stack}>
      <MutualTlsTrendPanel range={range} names={names} initial={initialTrend} />
      <Panel
        flush
        title={t("by-workload")}
        actions={
          <NativeSelect
            size="xs"
            aria-label={t("preview")}
            value={target}
            onChange={({ currentTarget }) => url.set({ strict: currentTarget.value || null }, "push")}
            data={[
              { value: "", label: t("preview") },
              { value: wholeMeshTarget, label: t("whole-mesh") },
              ...targetChoices(names, target),
            ]}
            data-testid="strict-target"
          />
        }
      >
        <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={7} columns={5} />}>
          {(report) => (
            <SortedTable
              caption={t("by-workload")}
              columns={columns}
              rows={report.workloads}
              rowKey={keyOf}
              defaultSort=""
              rowProps={(one) => ({ "data-workload": keyOf(one) })}
              empty={<EmptyState title={t("no-workloads")}>{t("no-workloads-text")}</EmptyState>}
            />
          )}
        </LiveContent>
      </Panel>
    </div>
  );
}
