"use client";
import { type ReactNode, use } from "react";
import { useTranslations } from "use-intl";
import {
  type Saturation,
  type ServiceList,
  type ServiceListItem,
  type Signals,
  serviceTitle,
  type ThresholdSettings,
} from "../../server/contract/index.ts";
import { CallRate } from "../health/call-rate.tsx";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { ThresholdsDialog } from "../health/thresholds-dialog.tsx";
import type { Settled } from "../lib/api.ts";
import { outOfSyncHref, serviceHref } from "../lib/links.ts";
import type { Live } from "../lib/live.ts";
import { useSaturation, useServices } from "../lib/queries.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { FilterInput } from "../list/filter-input.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { useFilter } from "../list/use-filter.ts";
import { Compared, type EarlierSignals } from "../metrics/compared.tsx";
import { earlierRange } from "../metrics/earlier-range.ts";
import { proxiesOf } from "../metrics/saturation-of.ts";
import { SaturationValue } from "../metrics/saturation-value.tsx";
import type { Column } from "../ui/data-table.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { Pill, PillButton } from "../ui/pill.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { Sparkline } from "../ui/sparkline.tsx";
import { type Comparison, sameRange, type TimeRange } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { lastOf, UnrecordedOf } from "../ui/unrecorded.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { HealthReason } from "./health-reason.tsx";
import { NoServices } from "./no-services.tsx";
import styles from "./service-list.module.css";

export interface ServiceListPageProps {
  services: Promise<Settled<ServiceList>>;
  saturation: Promise<Settled<Saturation>>;
  /** Of the whole mesh; null: the address does not ask for them. */
  thresholds: Promise<Settled<ThresholdSettings>> | null;
  initialRange: TimeRange;
}

/** Every service with its golden signals. Window, filter and sorting are in the URL. */
export function ServiceListPage({ initialRange, ...read }: ServiceListPageProps) {
  const t = useTranslations("services");
  const [first, saturation] = [use(read.services), use(read.saturation)];
  const url = useUrlState();
  const { range, set, comparison, compare } = useUrlRange();
  const isFirst = sameRange(range, initialRange);
  const live = useServices(range.windowSec, isFirst ? first : undefined, true, range.at);
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <FilterInput label={t("filter")} data-testid="service-filter" />
        <PillButton onClick={() => url.set({ thresholds: "edit" }, "push")} data-testid="edit-thresholds">
          {t("thresholds")}
        </PillButton>
        <TimeRangePicker value={range} onChange={set} compare={compare} />
      </PageHeader>
      {url.get("thresholds") === "edit" && (
        <ThresholdsDialog initial={read.thresholds} onClose={() => url.set({ thresholds: null })} />
      )}
      {live.data && <UnrecordedOf {...lastOf(range.windowSec, live.data)} />}
      <Panel flush>
        <div className={styles.list}>
          <Services
            live={live}
            saturation={useSaturation(null, saturation).data}
            before={useEarlierServices(range, comparison, live.data?.at ?? 0)}
          />
        </div>
      </Panel>
    </Page>
  );
}

/** The same services in the time that they are compared with. */
function useEarlierServices(range: TimeRange, comparison: Comparison | null, at: number): EarlierSignals {
  const other = earlierRange(range, comparison, at);
  const { windowSec, at: end } = other ?? range;
  const { data } = useServices(windowSec, undefined, other !== null, end);
  return other && data ? new Map(data.services.map((one) => [keyOf(one), one.signals])) : undefined;
}

interface ServicesProps {
  live: Live<ServiceList>;
  saturation: Saturation | undefined;
  before: EarlierSignals;
}

function Services({ live, saturation, before }: ServicesProps) {
  const t = useTranslations("services");
  const matches = useFilter();
  const columns = useColumns(saturation, before);
  return (
    <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={6} columns={8} />}>
      {({ services }) => (
        <SortedTable
          caption={t("caption")}
          columns={columns}
          rows={services.filter((service) => matches(keyOf(service))).toSorted(worstFirst)}
          rowKey={keyOf}
          defaultSort=""
          rowProps={(service) => ({ "data-service": keyOf(service), "data-health": service.health })}
          empty={services.length === 0 ? <NoServices /> : <NoMatch title={t("no-match")} filters={["filter"]} />}
        />
      )}
    </LiveContent>
  );
}

const keyOf = ({ namespace, hostname }: ServiceListItem): string => `${namespace}/${hostname}`;

const badness: Record<ServiceListItem["health"], number> = { failing: 3, degraded: 2, healthy: 1, idle: 0 };

/** What is in trouble comes first, then what is busy. */
const worstFirst = (a: ServiceListItem, b: ServiceListItem): number =>
  rankOf(b) - rankOf(a) || b.signals.errorShare - a.signals.errorShare || b.signals.requestRate - a.signals.requestRate;

/** A lost proxy is trouble also while the requests that still pass are answered. */
const rankOf = ({ health, missingProxies = [] }: ServiceListItem): number =>
  Math.max(badness[health], missingProxies.length > 0 ? 2.5 : 0);

const sparkSize = { width: 72, height: 20 };

function useColumns(saturation: Saturation | undefined, earlier: EarlierSignals): Column<ServiceListItem>[] {
  const t = useTranslations("services");
  const compared = (service: ServiceListItem, of: (signals: Signals) => number | null, figure: ReactNode) => (
    <Compared now={service.signals} before={earlier && (earlier.get(keyOf(service)) ?? null)} of={of}>
      {figure}
    </Compared>
  );
  const badgeText = useTranslations("topology");
  return [
    {
      key: "service",
      header: t("col-service"),
      phone: "title",
      sortValue: (service) => `${serviceTitle(service)}/${service.namespace}`,
      cell: ({ missingProxies = [], ...service }) => (
        <span className={styles.name}>
          <HealthReason health={service.health} signals={service.signals} />
          <ObjectLink href={serviceHref(service)}>{serviceTitle(service)}</ObjectLink>
          <span className="muted mono">
            {service.namespace}
            {service.ports[0] && ` · ${service.ports.map(({ port }) => port).join(", ")}`}
          </span>
          {service.external && <span className="muted">{t("external")}</span>}
          {missingProxies.length > 0 && (
            <Pill tone="bad" href={outOfSyncHref}>
              {t("proxies-missing", { count: missingProxies.length })}
            </Pill>
          )}
        </span>
      ),
    },
    {
      key: "versions",
      header: t("col-versions"),
      phone: "title",
      cell: ({ versions }) =>
        versions.length > 0 && (
          <span className={styles.versions}>
            {versions.map(({ version }) => (
              <VersionChip key={version} version={version} />
            ))}
          </span>
        ),
    },
    {
      key: "config",
      header: t("col-config"),
      phone: "title",
      cell: ({ badges, ...service }) =>
        badges.length > 0 && (
          <span className={styles.badges}>
            {badges.map((badge) => (
              <Pill
                key={badge}
                tone={badge === "fault" ? "bad" : "plain"}
                href={serviceHref(service, badge === "split" || badge === "fault" ? undefined : "config")}
              >
                {badgeText(`badge-${badge}`)}
              </Pill>
            ))}
          </span>
        ),
    },
    {
      key: "rate",
      header: t("col-rate"),
      align: "right",
      sortValue: ({ signals }) => signals.requestRate,
      cell: (service) => (
        <span className={styles.trend}>
          <Sparkline
            values={service.trend.requestRate}
            color="var(--accent)"
            {...sparkSize}
            fill
            label={t("trend-rate", { service: serviceTitle(service) })}
          />
          {compared(service, ({ requestRate }) => requestRate, <CallRate service={service} />)}
        </span>
      ),
    },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      sortValue: ({ signals, health }) => badness[health] * 10 + signals.errorShare,
      cell: (service) => compared(service, ({ errorShare }) => errorShare, <ErrorShare signals={service.signals} />),
    },
    {
      key: "p50",
      header: t("col-p50"),
      align: "right",
      phone: "hidden",
      sortValue: ({ signals }) => signals.latencyMsP50 ?? -1,
      cell: (service) =>
        compared(
          service,
          ({ latencyMsP50 }) => latencyMsP50,
          <NumberWithUnit value={service.signals.latencyMsP50} kind="ms" />,
        ),
    },
    {
      key: "p95",
      header: t("col-p95"),
      align: "right",
      sortValue: ({ signals }) => signals.latencyMsP95 ?? -1,
      cell: (service) => (
        <span className={styles.trend}>
          <Sparkline
            values={service.trend.latencyMsP95}
            color="var(--ink-2)"
            {...sparkSize}
            label={t("trend-p95", { service: serviceTitle(service) })}
          />
          {compared(service, ({ latencyMsP95 }) => latencyMsP95, <LatencyP95 signals={service.signals} />)}
        </span>
      ),
    },
    {
      key: "p99",
      header: t("col-p99"),
      align: "right",
      phone: "hidden",
      sortValue: ({ signals }) => signals.latencyMsP99 ?? -1,
      cell: (service) =>
        compared(
          service,
          ({ latencyMsP99 }) => latencyMsP99,
          <NumberWithUnit value={service.signals.latencyMsP99} kind="ms" />,
        ),
    },
    ...(saturation && saturation.proxies.length > 0
      ? [
          {
            key: "saturation",
            header: t("col-saturation"),
            align: "right" as const,
            sortValue: (service: ServiceListItem) => proxiesOf(saturation, service)[0]?.share ?? -1,
            cell: (service: ServiceListItem) => <SaturationValue of={proxiesOf(saturation, service)[0]} />,
          },
        ]
      : []),
  ];
}
