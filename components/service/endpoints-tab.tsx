"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import {
  type Health,
  healthOf,
  type ProxySync,
  type ServiceListItem,
  type ServiceMetrics,
  type ServiceVersion,
  type Signals,
} from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { proxyHref } from "../lib/links.ts";
import { useProxies } from "../lib/queries.ts";
import { LostWords } from "../proxy-sync/lost-words.tsx";
import { SyncMark } from "../proxy-sync/sync-mark.tsx";
import { worstState } from "../proxy-sync/sync-state.ts";
import { HealthReason } from "../services/health-reason.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { LimitsPanel } from "./limits-panel.tsx";
import styles from "./tabs.module.css";

interface Endpoint {
  address: string;
  port: number;
  workload: string;
  version: string;
  /** What probes found (HealthCheck, WorkloadGroup). */
  health?: "healthy" | "unhealthy";
  group?: string;
  /** What its workload got in the window; null: nothing, or not known. */
  signals: Signals | null;
  /** Endpoints of the workload: traffic is told of it as a whole. */
  sharedBy: number;
}

/** Where its requests can go, how they fare there, and the proxy that stands before each. */
export function EndpointsTab({
  item,
  metrics,
}: {
  item: ServiceListItem | undefined;
  metrics: ServiceMetrics | undefined;
}) {
  const t = useTranslations("service");
  const proxies = useProxies().data?.proxies ?? [];
  const rows = item?.versions.flatMap((version) => endpointsOf(version, item.namespace, metrics));
  const proxyOf = ({ workload, address }: Endpoint): ProxySync | undefined =>
    proxies.find((proxy) => proxy.name === workload && proxy.namespace === item?.namespace) ??
    proxies.find((proxy) => proxy.address === address);
  const trouble = (endpoint: Endpoint): number =>
    endpoint.health === "unhealthy" || proxyOf(endpoint)?.connected === false
      ? -1
      : order.indexOf(healthIn(endpoint.signals));
  const probed: Column<Endpoint> = {
    key: "probed",
    header: t("col-probed"),
    cell: ({ health }) => {
      if (!health) return <span className="muted">{t("probed-none")}</span>;
      return <span className={health === "unhealthy" ? styles.lost : undefined}>{t(`probed-${health}`)}</span>;
    },
  };
  const columns: Column<Endpoint>[] = [
    {
      key: "address",
      header: t("col-address"),
      phone: "title",
      cell: ({ address, port, health, signals }) => (
        <span className={styles.endpoint}>
          {health === "unhealthy" ? (
            <HealthMark health="failing" silent />
          ) : (
            <HealthReason health={healthIn(signals)} signals={signals ?? silent} />
          )}
          <span className="mono">
            {address}:{port}
          </span>
        </span>
      ),
    },
    { key: "version", header: t("col-version"), cell: ({ version }) => <VersionChip version={version} /> },
    { key: "workload", header: t("col-workload"), cell: (endpoint) => <WorkloadCell {...endpoint} /> },
    ...(rows?.some(({ health }) => health) ? [probed] : []),
    {
      key: "rate",
      header: t("col-rate"),
      align: "right",
      cell: ({ signals, sharedBy }) => (
        <>
          <NumberWithUnit value={metrics ? (signals?.requestRate ?? 0) : null} kind="rps" />
          {sharedBy > 1 && <span className="muted"> {t("shared-by", { count: sharedBy })}</span>}
        </>
      ),
    },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      cell: ({ signals }) => <ErrorShare signals={signals ?? silent} />,
    },
    {
      key: "p95",
      header: "p95",
      align: "right",
      cell: ({ signals }) => <LatencyP95 signals={signals ?? silent} />,
    },
    {
      key: "proxy",
      header: t("col-proxy"),
      cell: (endpoint) => {
        const proxy = proxyOf(endpoint);
        if (!proxy) return <span className="muted">{t("no-proxy")}</span>;
        if (!proxy.connected) {
          return (
            <Link href={proxyHref(proxy.id)} prefetch={false} className={styles.lost}>
              <SyncMark state="GONE" /> <LostWords proxy={proxy} />
            </Link>
          );
        }
        return (
          <Link href={proxyHref(proxy.id)} prefetch={false} style={{ textDecoration: "none" }}>
            <SyncMark state={worstState(proxy)} /> {proxy.implementation}
          </Link>
        );
      },
    },
  ];
  if (!rows) {
    return (
      <Panel flush>
        <TableSkeleton rows={3} columns={7} />
      </Panel>
    );
  }
  return (
    <>
      <Panel title={t("endpoints")} hint={t("endpoints-hint")} flush>
        <div className={styles.list}>
          <DataTable
            caption={t("endpoints")}
            columns={columns}
            rows={rows.toSorted((a, b) => trouble(a) - trouble(b))}
            rowKey={({ address, port }) => `${address}:${port}`}
            empty={<EmptyState title={t("endpoints-none")}>{t("endpoints-none-text")}</EmptyState>}
          />
        </div>
      </Panel>
      {item && <LimitsPanel hostname={item.hostname} />}
    </>
  );
}

const order = ["failing", "degraded", "healthy", "idle"] as const satisfies readonly Health[];
const healthIn = (signals: Signals | null): Health => (signals ? healthOf(signals) : "idle");

const silent: Signals = {
  requestRate: 0,
  errorShare: 0,
  clientErrorShare: 0,
  latencyMsP50: null,
  latencyMsP90: null,
  latencyMsP95: null,
  latencyMsP99: null,
};

function endpointsOf(
  { version, endpoints }: ServiceVersion,
  namespace: string,
  metrics: ServiceMetrics | undefined,
): Endpoint[] {
  return endpoints.map((endpoint) => ({
    ...endpoint,
    version,
    sharedBy: endpoints.filter(({ workload }) => workload === endpoint.workload).length,
    signals:
      metrics?.workloads.find((one) => one.workload === endpoint.workload && one.namespace === namespace)?.signals ??
      null,
  }));
}

function WorkloadCell({ workload, group }: Endpoint) {
  const t = useTranslations("service");
  return (
    <>
      {workload}
      {group && <span className="muted"> · {t("registered-by", { group })}</span>}
    </>
  );
}
