"use client";
import { useTranslations } from "use-intl";
import type { ServiceMetrics } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { explainHref, serviceHref } from "../lib/links.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import { VersionChip } from "../ui/version-chip.tsx";

type Caller = ServiceMetrics["callers"][number];

/** Who calls it, and how that goes. */
export function CallersTable({ metrics }: { metrics: ServiceMetrics }) {
  const t = useTranslations("service");
  const columns: Column<Caller>[] = [
    {
      key: "caller",
      header: t("col-caller"),
      phone: "title",
      cell: ({ app, namespace, version, service }) => (
        <>
          {service ? (
            <ObjectLink className="link" href={serviceHref(service)}>
              {app}
            </ObjectLink>
          ) : (
            app
          )}{" "}
          <span className="muted mono">{namespace}</span> {version && <VersionChip version={version} />}
        </>
      ),
    },
    { key: "rate", header: t("col-rate"), align: "right", cell: rate },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      cell: ({ signals }) => <ErrorShare signals={signals} />,
    },
    { key: "p50", header: "p50", align: "right", cell: ({ signals }) => ms(signals.latencyMsP50) },
    { key: "p95", header: "p95", align: "right", cell: ({ signals }) => <LatencyP95 signals={signals} /> },
    { key: "p99", header: "p99", align: "right", phone: "hidden", cell: ({ signals }) => ms(signals.latencyMsP99) },
  ];
  return (
    <Panel title={t("callers")} flush>
      <DataTable
        caption={t("callers")}
        columns={columns}
        rows={metrics.callers}
        rowKey={({ app, namespace, version }) => `${namespace}/${app}/${version}`}
        empty={
          <EmptyState
            title={t("callers-none")}
            action={
              <Link className="link" href={explainHref()}>
                {t("callers-none-action")}
              </Link>
            }
          >
            {t("callers-none-text")}
          </EmptyState>
        }
      />
    </Panel>
  );
}

const rate = ({ signals }: Caller) => <NumberWithUnit value={signals.requestRate} kind="rps" />;
const ms = (value: number | null) => <NumberWithUnit value={value} kind="ms" />;
