"use client";
import { type ReactNode, use, useMemo } from "react";
import { useTranslations } from "use-intl";
import type { ChangeList, Overview, ProxyList, ProxySaturation, ServiceList } from "../../server/contract/index.ts";
import { ChangeHistory } from "../config/change-history.tsx";
import { SignalKpis } from "../health/signals.tsx";
import type { Settled } from "../lib/api.ts";
import { useMeshStatus } from "../lib/mesh-status.ts";
import {
  useChanges,
  useOverview,
  useProxies,
  usePushHistory,
  useRestarts,
  useSaturation,
  useServices,
} from "../lib/queries.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Change } from "../metrics/change.tsx";
import { changeOf, meanOf } from "../metrics/earlier-values.ts";
import { SaturationValue } from "../metrics/saturation-value.tsx";
import { Kpi } from "../ui/kpi.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { KpiSkeleton, SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import { distanceSec, earlier } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { FleetFacts } from "./fleet-facts.tsx";
import { HourCharts } from "./hour-charts.tsx";
import { NextLinks } from "./next-links.tsx";
import styles from "./overview.module.css";
import { TroubleList } from "./trouble-list.tsx";

const windowSec = 60;
const hourSec = 3600;

export interface OverviewPageProps {
  overview: Promise<Settled<Overview>>;
  services: Promise<Settled<ServiceList>>;
  proxies: Promise<Settled<ProxyList>>;
  changes: Promise<Settled<ChangeList>>;
}

/** Is it well; if not, what is wrong and why; what changed, on the time of the traffic; and where to look next. */
export function OverviewPage(first: OverviewPageProps) {
  const t = useTranslations("overview");
  const { range: asked, set, comparison, compare } = useUrlRange(hourSec);
  // Live, figures are of the last minute and charts of the last hour; of what was asked for, both are of all of it.
  const isUsual = asked.at === null && asked.windowSec === hourSec;
  const range = isUsual ? null : asked;
  const overview = useOverview(isUsual ? use(first.overview) : undefined, range);
  const before = useOverview(
    undefined,
    earlier(asked, comparison ?? "before", overview.data ? endOf(overview.data) : 0),
    comparison !== null && overview.data !== undefined,
  ).data;
  const listed = asked.at === null ? { windowSec, at: null } : asked;
  const services = useServices(listed.windowSec, asked.at === null ? use(first.services) : undefined, true, listed.at);
  const saturation = useSaturation(asked.at).data;
  const proxies = useProxies(use(first.proxies));
  const firstChanges = use(first.changes);
  const restarts = useRestarts().data;
  const pushes = usePushHistory().data;
  const befell = useMemo(
    () =>
      proxies.data && {
        proxies: proxies.data.proxies,
        restarts: restarts?.restarts ?? [],
        pushes: pushes?.pushes ?? [],
      },
    [proxies.data, restarts, pushes],
  );
  const status = useMeshStatus();
  const sinceMs = range === null ? (overview.data?.at ?? 0) - hourSec * 1000 : (overview.data?.timeline.fromMs ?? 0);
  const changes = useChanges({ sinceMs: Math.max(0, sinceMs), limit: 100 }, firstChanges).data?.changes ?? [];
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <TimeRangePicker value={asked} onChange={set} compare={compare} />
      </PageHeader>
      <Golden overview={overview.data} before={comparison ? before : undefined} fullest={saturation?.proxies[0]} />
      <div className={styles.grid}>
        <div className={styles.column}>
          <Panel title={t("trouble")} hint={t("trouble-hint")} flush data-testid="trouble">
            <LiveContent
              live={services}
              unreadable={t("services-unreadable")}
              skeleton={<TableSkeleton rows={3} columns={3} />}
            >
              {(list) => <TroubleList services={list.services} status={status.data} proxies={proxies.data} />}
            </LiveContent>
          </Panel>
          <Panel title={t(range === null ? "hour" : "traffic")} hint={t("hour-hint")} data-testid="hour">
            <LiveContent live={overview} unreadable={t("traffic-unreadable")} skeleton={<SkeletonBlock height={300} />}>
              {(data) => (
                <HourCharts
                  timeline={data.timeline}
                  changes={changes}
                  befell={befell}
                  earlier={
                    comparison && before
                      ? { timeline: before.timeline, distanceSec: distanceSec(comparison, asked) }
                      : undefined
                  }
                />
              )}
            </LiveContent>
          </Panel>
          <ChangeHistory
            title={t("changed")}
            matches={({ at }) => at >= sinceMs}
            initial={firstChanges}
            none={t("changed-none")}
          />
        </div>
        <div className={styles.column}>
          <Panel title={t("fleet")} data-testid="overview-fleet">
            <FleetFacts proxies={proxies.data} status={status.data} />
          </Panel>
          <Panel title={t("next")} data-testid="overview-next">
            <NextLinks services={services.data?.services ?? []} status={status.data} />
          </Panel>
        </div>
      </div>
    </Page>
  );
}

interface GoldenProps {
  overview: Overview | undefined;
  before: Overview | undefined;
  /** Of all proxies. */
  fullest: ProxySaturation | undefined;
}

/** Unix milliseconds. */
const endOf = ({ timeline: { fromMs, stepSec, requestRate } }: Overview): number =>
  fromMs + requestRate.length * stepSec * 1000;

/** The four golden signals of what enters the mesh, over the last minute. */
function Golden({ overview, before, fullest }: GoldenProps): ReactNode {
  const t = useTranslations("overview");
  if (!overview) {
    return (
      <div className={styles.figures}>
        <KpiSkeleton count={5} />
      </div>
    );
  }
  const { signals } = overview;
  return (
    <dl className={styles.figures} data-testid="golden">
      <SignalKpis signals={signals} t={t} />
      <Kpi label={t("p99")}>
        <NumberWithUnit value={signals.latencyMsP99} kind="ms" />
      </Kpi>
      <Kpi label={t("saturation")}>
        <SaturationValue of={fullest} />
      </Kpi>
      {before && (
        <Kpi label={t("rate-before")}>
          <Change of={changeOf(meanOf(overview.timeline.requestRate), meanOf(before.timeline.requestRate))} />
        </Kpi>
      )}
    </dl>
  );
}
