"use client";
import { CloseButton } from "@mantine/core";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { ProxySync, WorkloadItem, WorkloadMetrics, WorkloadPeer } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { logsOfHref, objectHref, proposeHref, serviceHref } from "../lib/links.ts";
import { useWorkloadMetrics } from "../lib/queries.ts";
import { LiveContent } from "../list/live-content.tsx";
import { firstStep } from "../service/covered.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { LoadedChart } from "../ui/loaded-chart.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Pairs } from "../ui/pairs.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SideSection, SideSheet } from "../ui/side-sheet.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { UnrecordedNote } from "../ui/unrecorded.tsx";
import { ProxyLink, proxyOf } from "./proxy-link.tsx";
import styles from "./workloads.module.css";

const height = 130;

export interface WorkloadSheetProps {
  workload: WorkloadItem;
  /** Undefined until the fleet could be asked. */
  proxies: readonly ProxySync[] | undefined;
  range: TimeRange;
  onClose: () => void;
}

/** One workload: what it is asked and asks over time, by whom and whom, its ports and their mutual TLS, its services and its proxy. */
export function WorkloadSheet({ workload, proxies, range, onClose }: WorkloadSheetProps) {
  const t = useTranslations("workloads");
  const { namespace, name } = workload;
  const live = useWorkloadMetrics({ namespace, name, ...range });
  return (
    <SideSheet label={name} onClose={onClose}>
      <div data-testid="workload-sheet">
        <SideSection>
          <Head name={name} namespace={namespace} onClose={onClose} />
          <ProxyLink proxy={proxyOf(workload, proxies)} known={proxies !== undefined} />
          <Services workload={workload} />
          <p>
            <Link
              className="link"
              href={logsOfHref({ destination: `${namespace}/${workload.app}/${workload.version}` })}
            >
              {t("its-requests")}
            </Link>
          </p>
          <p>
            <Link className="link" href={proposeHref(namespace, name)}>
              {t("propose")}
            </Link>
          </p>
        </SideSection>
        <LiveContent live={live} unreadable={t("metrics-unreadable")} skeleton={<SkeletonBlock height={420} />}>
          {(metrics) => (
            <>
              {metrics.gaps && (
                <SideSection>
                  <UnrecordedNote fromMs={metrics.fromMs} toMs={metrics.at} gaps={metrics.gaps} />
                </SideSection>
              )}
              {(["inbound", "outbound"] as const).map((direction) => (
                <Direction key={direction} direction={direction} metrics={metrics} />
              ))}
            </>
          )}
        </LiveContent>
        <Ports workload={workload} />
        <Labels workload={workload} />
      </div>
    </SideSheet>
  );
}

/** For an address of before: `name` is `<namespace>/<name>`. */
export function GoneSheet({ name: key, onClose }: { name: string; onClose: () => void }) {
  const t = useTranslations("workloads");
  const [namespace = "", name = key] = key.split("/");
  return (
    <SideSheet label={name} onClose={onClose}>
      <div data-testid="workload-gone">
        <SideSection>
          <Head name={name} namespace={namespace} onClose={onClose} />
          <p className="muted">{t("gone")}</p>
        </SideSection>
      </div>
    </SideSheet>
  );
}

function Head({ name, namespace, onClose }: { name: string; namespace: string; onClose: () => void }) {
  const common = useTranslations("ui");
  return (
    <div className={styles.head}>
      <h2>{name}</h2>
      <span className="muted mono">{namespace}</span>
      <CloseButton aria-label={common("close")} onClick={onClose} />
    </div>
  );
}

function Services({ workload: { services } }: { workload: WorkloadItem }) {
  const t = useTranslations("workloads");
  if (services.length === 0) return null;
  return (
    <p>
      {t("serves")}{" "}
      {services.map((service, index) => (
        <span key={service.hostname}>
          {index > 0 && ", "}
          <ObjectLink className="link" href={serviceHref(service)}>
            {service.name}
          </ObjectLink>
        </span>
      ))}
    </p>
  );
}

function Direction({ direction, metrics }: { direction: "inbound" | "outbound"; metrics: WorkloadMetrics }) {
  const t = useTranslations("workloads");
  const { series, peers } = metrics[direction];
  const first = firstStep(metrics);
  const chart = {
    fromMs: metrics.fromMs + first * metrics.stepSec * 1000,
    stepSec: metrics.stepSec,
    height,
    gaps: metrics.gaps ?? [],
    sync: "workload",
  };
  const line = (values: readonly (number | null)[], color: string) => [
    { label: t(direction), color, values: values.slice(first), fill: true },
  ];
  return (
    <SideSection>
      <h3 className={styles.heading}>{t(direction)}</h3>
      {peers.length === 0 ? (
        <p className="muted">{t(`none-${direction}`)}</p>
      ) : (
        <>
          <Chart title={t("chart-rate")}>
            <LoadedChart
              {...chart}
              label={`${t(direction)}: ${t("chart-rate")}`}
              kind="rps"
              series={line(series.requestRate, "var(--accent)")}
            />
          </Chart>
          <Chart title={t("chart-errors")}>
            <LoadedChart
              {...chart}
              label={`${t(direction)}: ${t("chart-errors")}`}
              kind="share"
              series={line(series.errorShare, "var(--bad)")}
            />
          </Chart>
          <Chart title="p95">
            <LoadedChart
              {...chart}
              label={`${t(direction)}: p95`}
              kind="ms"
              series={line(series.latencyMsP95, "var(--ink-2)")}
            />
          </Chart>
          <Peers direction={direction} peers={peers} />
        </>
      )}
    </SideSection>
  );
}

const Chart = ({ title, children }: { title: string; children: ReactNode }) => (
  <div className={styles.chart}>
    <span className="muted">{title}</span>
    {children}
  </div>
);

function Peers({ direction, peers }: { direction: "inbound" | "outbound"; peers: readonly WorkloadPeer[] }) {
  const t = useTranslations("workloads");
  const topology = useTranslations("topology");
  const columns: Column<WorkloadPeer>[] = [
    {
      key: "peer",
      header: t(direction === "inbound" ? "from" : "to"),
      phone: "title",
      cell: ({ kind, app, version, protocol }) => (
        <>
          {kind === "source" || kind === "unknown" ? topology(kind) : app}
          {version && <span className="muted"> {version}</span>}
          {protocol !== "http" && <span className="muted"> {protocol}</span>}
        </>
      ),
    },
    {
      key: "rate",
      header: "rps",
      align: "right",
      cell: ({ signals }) => <NumberWithUnit value={signals.requestRate} kind="rps" bare />,
    },
    { key: "errors", header: t("col-err"), align: "right", cell: ({ signals }) => <ErrorShare signals={signals} /> },
    { key: "p95", header: "p95", align: "right", cell: ({ signals }) => <LatencyP95 signals={signals} /> },
  ];
  return (
    <DataTable
      caption={t(direction)}
      columns={columns}
      rows={peers}
      rowKey={({ id, protocol }) => `${id} ${protocol}`}
      rowProps={({ app }) => ({ "data-peer": app })}
      dense
    />
  );
}

function Ports({ workload: { endpoints, mtls } }: { workload: WorkloadItem }) {
  const t = useTranslations("workloads");
  if (endpoints.length === 0) return null;
  return (
    <SideSection>
      <h3 className={styles.heading}>{t("endpoints")}</h3>
      <ul className={styles.ports}>
        {endpoints.map(({ address, port, health }) => {
          const takes = mtls.find((one) => one.port === port);
          return (
            <li key={`${address}:${port}`}>
              <span className="mono">
                {address}:{port}
              </span>
              {health && (
                <span className={health === "unhealthy" ? styles.lost : "muted"}>{t(`probed-${health}`)}</span>
              )}
              {takes && (
                <span>
                  {t(`mtls-${takes.mode}`)}{" "}
                  {takes.by ? (
                    <ObjectLink
                      className="link"
                      href={objectHref("PeerAuthentication", takes.by.namespace, takes.by.name)}
                    >
                      {takes.by.name} {takes.by.field}
                    </ObjectLink>
                  ) : (
                    <span className="muted">{t("mtls-usual")}</span>
                  )}
                </span>
              )}
            </li>
          );
        })}
      </ul>
    </SideSection>
  );
}

function Labels({ workload: { labels, serviceAccount, group } }: { workload: WorkloadItem }) {
  const t = useTranslations("workloads");
  const facts = {
    ...labels,
    ...(serviceAccount && { [t("service-account")]: serviceAccount }),
    ...(group && { [t("registered-group")]: group }),
  };
  if (Object.keys(facts).length === 0) return null;
  return (
    <SideSection>
      <h3 className={styles.heading}>{t("labels")}</h3>
      <Pairs facts={facts} />
    </SideSection>
  );
}
