"use client";
import { type ReactNode, use } from "react";
import { useTranslations } from "use-intl";
import type { ChangeList, Overview, ProxyList, ServiceList } from "../../server/contract/index.ts";
import { ChangeHistory } from "../config/change-history.tsx";
import { SignalKpis } from "../health/signals.tsx";
import type { Settled } from "../lib/api.ts";
import { useChanges, useMeshStatus, useOverview, useProxies, useServices } from "../lib/queries.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Kpi } from "../ui/kpi.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { KpiSkeleton, SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import { FleetFacts } from "./fleet-facts.tsx";
import { HourCharts } from "./hour-charts.tsx";
import { NextLinks } from "./next-links.tsx";
import styles from "./overview.module.css";
import { TroubleList } from "./trouble-list.tsx";

const windowSec = 60;
const hourMs = 3_600_000;

export interface OverviewPageProps {
  overview: Promise<Settled<Overview>>;
  services: Promise<Settled<ServiceList>>;
  proxies: Promise<Settled<ProxyList>>;
  changes: Promise<Settled<ChangeList>>;
}

/** Is it well; if not, what is wrong and why; what changed, on the time of the traffic; and where to look next. */
export function OverviewPage(first: OverviewPageProps) {
  const t = useTranslations("overview");
  const overview = useOverview(use(first.overview));
  const services = useServices(windowSec, use(first.services));
  const proxies = useProxies(use(first.proxies));
  const firstChanges = use(first.changes);
  const status = useMeshStatus();
  const sinceMs = (overview.data?.at ?? 0) - hourMs;
  const changes = useChanges({ sinceMs: Math.max(0, sinceMs), limit: 100 }, firstChanges).data?.changes ?? [];
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")} />
      <Golden overview={overview.data} />
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
          <Panel title={t("hour")} hint={t("hour-hint")} data-testid="hour">
            <LiveContent live={overview} unreadable={t("traffic-unreadable")} skeleton={<SkeletonBlock height={300} />}>
              {(data) => <HourCharts timeline={data.timeline} changes={changes} proxies={proxies.data} />}
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

/** The four golden signals of what enters the mesh, over the last minute. */
function Golden({ overview }: { overview: Overview | undefined }): ReactNode {
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
    </dl>
  );
}
