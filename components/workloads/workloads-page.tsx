"use client";
import { type ReactNode, use } from "react";
import { useTranslations } from "use-intl";
import type { ProxySync, Saturation, Signals, WorkloadItem, WorkloadList } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import type { Settled } from "../lib/api.ts";
import { servicesHref } from "../lib/links.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import { useProxies, useSaturation, useWorkloads } from "../lib/queries.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { FilterInput } from "../list/filter-input.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { useFilter } from "../list/use-filter.ts";
import { Compared } from "../metrics/compared.tsx";
import { earlierRange } from "../metrics/earlier-range.ts";
import { fullestOf } from "../metrics/saturation-of.ts";
import { SaturationValue } from "../metrics/saturation-value.tsx";
import { HealthReason } from "../services/health-reason.tsx";
import { NoServices } from "../services/no-services.tsx";
import type { Column } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { type Comparison, sameRange, type TimeRange } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { lastOf, UnrecordedOf } from "../ui/unrecorded.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { MutualTls } from "./mutual-tls.tsx";
import { ProxyLink, proxyOf } from "./proxy-link.tsx";
import { silent, workloadKey, worstFirst } from "./workload-order.ts";
import { GoneSheet, WorkloadSheet } from "./workload-sheet.tsx";
import styles from "./workloads.module.css";

export interface WorkloadsPageProps {
  initial: Promise<Settled<WorkloadList>>;
  initialRange: TimeRange;
}

/** What stands behind the services, both ways of its traffic, and the proxy before it. Filter, window and the opened one are in the URL. */
export function WorkloadsPage({ initial, initialRange }: WorkloadsPageProps) {
  const t = useTranslations("workloads");
  const url = useUrlState();
  const first = use(initial);
  const { range, set, comparison, compare } = useUrlRange();
  const live = useWorkloads(range, sameRange(range, initialRange) ? first : undefined);
  const before = useEarlierWorkloads(range, comparison, live.data?.at ?? 0);
  const proxies = useProxies().data?.proxies;
  const wanted = url.get("workload");
  const opened = live.data?.workloads.find((one) => workloadKey(one) === wanted);
  const close = () => url.set({ workload: null });
  return (
    <div className={styles.page}>
      <Page>
        <PageHeader title={t("title")} hint={t("hint")}>
          <FilterInput label={t("filter")} data-testid="workload-filter" />
          <TimeRangePicker value={range} onChange={set} compare={compare} />
        </PageHeader>
        {live.data && <UnrecordedOf {...lastOf(range.windowSec, live.data)} />}
        <Panel flush>
          <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={7} columns={8} />}>
            {({ workloads }) => <Table workloads={workloads} proxies={proxies} before={before} at={range.at} />}
          </LiveContent>
        </Panel>
      </Page>
      {opened && <WorkloadSheet workload={opened} proxies={proxies} range={range} onClose={close} />}
      {wanted !== null && live.data && !opened && <GoneSheet name={wanted} onClose={close} />}
    </div>
  );
}

type Earlier = ReadonlyMap<string, WorkloadItem> | undefined;

/** The same workloads in the time that they are compared with. */
function useEarlierWorkloads(range: TimeRange, comparison: Comparison | null, at: number): Earlier {
  const other = earlierRange(range, comparison, at);
  const { data } = useWorkloads(other ?? range, undefined, other !== null);
  return other && data ? new Map(data.workloads.map((one) => [workloadKey(one), one])) : undefined;
}

interface TableProps {
  workloads: readonly WorkloadItem[];
  proxies: readonly ProxySync[] | undefined;
  before: Earlier;
  /** End of the time that is shown; null: now. */
  at: number | null;
}

function Table({ workloads, proxies, before, at }: TableProps) {
  const t = useTranslations("workloads");
  const url = useUrlState();
  const matches = useFilter();
  const { data: mesh } = useMeshStatus();
  const columns = useColumns(proxies, useSaturation(at).data, before);
  const opened = url.get("workload");
  return (
    <SortedTable
      caption={t("title")}
      columns={columns}
      rows={workloads
        .filter((one) => matches(`${workloadKey(one)} ${one.services.map(({ name }) => name).join(" ")}`))
        .toSorted(worstFirst)}
      rowKey={workloadKey}
      defaultSort=""
      isSelected={(one) => workloadKey(one) === opened}
      onRowClick={(one) => url.set({ workload: workloadKey(one) }, "push")}
      rowProps={(one) => ({ "data-workload": workloadKey(one), "data-health": one.health })}
      empty={
        mesh?.services === 0 ? (
          <NoServices />
        ) : workloads.length === 0 ? (
          <EmptyState
            title={t("empty")}
            action={
              <Link className="link" href={servicesHref}>
                {t("empty-action")}
              </Link>
            }
          >
            {t("empty-text")}
          </EmptyState>
        ) : (
          <NoMatch title={t("no-match")} filters={["filter"]} />
        )
      }
    />
  );
}

function useColumns(
  proxies: readonly ProxySync[] | undefined,
  saturation: Saturation | undefined,
  earlier: Earlier,
): Column<WorkloadItem>[] {
  const t = useTranslations("workloads");
  const url = useUrlState();
  const compared = (
    one: WorkloadItem,
    direction: "inbound" | "outbound",
    of: (signals: Signals) => number | null,
    figure: ReactNode,
  ) => (
    <Compared
      now={one[direction] ?? silent}
      before={earlier && (earlier.get(workloadKey(one))?.[direction] ?? null)}
      of={of}
    >
      {figure}
    </Compared>
  );
  const saturationOf = ({ namespace, name }: WorkloadItem) => fullestOf(saturation, [{ namespace, workload: name }]);
  const rate = (direction: "inbound" | "outbound"): Column<WorkloadItem> => ({
    key: direction,
    header: t(`col-${direction}`),
    align: "right",
    sortValue: (one) => one[direction]?.requestRate ?? 0,
    cell: (one) =>
      compared(
        one,
        direction,
        ({ requestRate }) => requestRate,
        <NumberWithUnit value={one[direction]?.requestRate ?? 0} kind="rps" />,
      ),
  });
  const errors = (direction: "inbound" | "outbound"): Column<WorkloadItem> => ({
    key: `${direction}-errors`,
    header: t(`col-${direction}-errors`),
    align: "right",
    sortValue: (one) => one[direction]?.errorShare ?? 0,
    cell: (one) =>
      compared(one, direction, ({ errorShare }) => errorShare, <ErrorShare signals={one[direction] ?? silent} />),
  });
  return [
    {
      key: "workload",
      header: t("col-workload"),
      phone: "title",
      sortValue: workloadKey,
      cell: (one) => (
        <span className={styles.name}>
          <HealthReason health={one.health} signals={one.inbound ?? silent} />
          <button type="button" className="link" onClick={() => url.set({ workload: workloadKey(one) }, "push")}>
            {one.name}
          </button>
          <span className="muted mono">{one.namespace}</span>
          {one.kind === "gateway" ? (
            <span className="muted">{t("gateway")}</span>
          ) : (
            <VersionChip version={one.version} />
          )}
        </span>
      ),
    },
    rate("inbound"),
    errors("inbound"),
    {
      key: "p95",
      header: t("col-p95"),
      align: "right",
      sortValue: ({ inbound }) => inbound?.latencyMsP95 ?? -1,
      cell: (one) =>
        compared(one, "inbound", ({ latencyMsP95 }) => latencyMsP95, <LatencyP95 signals={one.inbound ?? silent} />),
    },
    {
      key: "saturation",
      header: t("col-saturation"),
      align: "right",
      sortValue: (one) => saturationOf(one)?.share ?? -1,
      cell: (one) => <SaturationValue of={saturationOf(one)} />,
    },
    rate("outbound"),
    errors("outbound"),
    { key: "mtls", header: t("col-mtls"), needs: 1100, cell: (one) => <MutualTls workload={one} /> },
    {
      key: "endpoints",
      header: t("col-endpoints"),
      align: "right",
      phone: "hidden",
      needs: 1100,
      sortValue: ({ endpoints }) => endpoints.length,
      cell: ({ endpoints }) => <span className="num">{endpoints.length || "–"}</span>,
    },
    {
      key: "proxy",
      header: t("col-proxy"),
      // Read after the rest: its column has its place from the beginning.
      width: 190,
      needs: 900,
      cell: (one) => <ProxyLink proxy={proxyOf(one, proxies)} known={proxies !== undefined} />,
    },
  ];
}
