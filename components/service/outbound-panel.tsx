"use client";
import { useTranslations } from "use-intl";
import type { OutboundMetrics, ServiceListItem } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { serviceHref } from "../lib/links.ts";
import { useOutbound } from "../lib/queries.ts";
import { LiveContent } from "../list/live-content.tsx";
import { seriesColor } from "../metrics/series-color.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { LoadedChart } from "../ui/loaded-chart.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { firstStep } from "./covered.ts";
import styles from "./tabs.module.css";

const height = 170;

/** What a service's workloads call, by the service that is called. */
export function OutboundPanel({ item, range }: { item: ServiceListItem; range: TimeRange }) {
  const t = useTranslations("metrics");
  const app = item.versions.flatMap((version) => version.apps ?? [])[0] ?? item.name;
  const live = useOutbound({ namespace: item.namespace, app }, range);
  return (
    <div className={styles.wide}>
      <Panel title={t("outbound")} hint={t("outbound-hint")} data-testid="outbound">
        <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={height} />}>
          {(outbound) =>
            outbound.destinations.length === 0 ? (
              <EmptyState title={t("outbound-none")} />
            ) : (
              <>
                <Rates outbound={outbound} title={t("outbound")} />
                <Destinations outbound={outbound} />
              </>
            )
          }
        </LiveContent>
      </Panel>
    </div>
  );
}

const nameOf = ({ destinations }: OutboundMetrics, hostname: string): string =>
  destinations.find((one) => one.hostname === hostname)?.service?.name ?? hostname;

function Rates({ outbound, title }: { outbound: OutboundMetrics; title: string }) {
  const first = firstStep(outbound);
  return (
    <LoadedChart
      fromMs={outbound.fromMs + first * outbound.stepSec * 1000}
      stepSec={outbound.stepSec}
      kind="rps"
      height={height}
      label={title}
      sync="service"
      gaps={outbound.gaps ?? []}
      series={outbound.series.map(({ version: hostname, requestRate }, index) => ({
        label: nameOf(outbound, hostname),
        color: seriesColor(index),
        values: requestRate.slice(first),
      }))}
    />
  );
}

type Destination = OutboundMetrics["destinations"][number];

function Destinations({ outbound }: { outbound: OutboundMetrics }) {
  const t = useTranslations("metrics");
  const s = useTranslations("service");
  const columns: Column<Destination>[] = [
    {
      key: "service",
      header: t("col-destination"),
      phone: "title",
      cell: ({ hostname, service }) => (
        <span className={styles.endpoint}>
          <i
            className={styles.swatch}
            style={{ background: seriesColor(outbound.destinations.findIndex((one) => one.hostname === hostname)) }}
            aria-hidden
          />
          {service ? (
            <ObjectLink className="link" href={serviceHref(service, "metrics")}>
              {service.name}
            </ObjectLink>
          ) : (
            hostname
          )}
        </span>
      ),
    },
    {
      key: "rate",
      header: s("col-rate"),
      align: "right",
      cell: ({ signals }) => <NumberWithUnit value={signals.requestRate} kind="rps" />,
    },
    { key: "errors", header: s("col-errors"), align: "right", cell: ({ signals }) => <ErrorShare signals={signals} /> },
    { key: "p95", header: "p95", align: "right", cell: ({ signals }) => <LatencyP95 signals={signals} /> },
  ];
  return (
    <DataTable
      caption={t("outbound")}
      columns={columns}
      rows={outbound.destinations}
      rowKey={({ hostname }) => hostname}
      dense
    />
  );
}
