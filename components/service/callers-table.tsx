"use client";
import { useTranslations } from "use-intl";
import type { Flow, ServiceMetrics } from "../../server/contract/index.ts";
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
  const timed = !metrics.connections?.only;
  const bytes = (way: keyof Flow): Column<Caller> => ({
    key: way,
    header: t(`figure-${way}`),
    align,
    cell: ({ bytesPerSecond }) => <NumberWithUnit value={bytesPerSecond?.[way] ?? null} kind="bytes" />,
  });
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
    { key: "rate", header: t(timed ? "col-rate" : "col-connections"), align, cell: timed ? rate : connectionRate },
    {
      key: "errors",
      header: t("col-errors"),
      align,
      cell: ({ signals }) => <ErrorShare signals={signals} />,
    },
    ...(timed
      ? [
          { key: "p50", header: "p50", align, cell: ({ signals }: Caller) => ms(signals.latencyMsP50) },
          { key: "p95", header: "p95", align, cell: ({ signals }: Caller) => <LatencyP95 signals={signals} /> },
          {
            key: "p99",
            header: "p99",
            align,
            phone: "hidden" as const,
            cell: ({ signals }: Caller) => ms(signals.latencyMsP99),
          },
        ]
      : []),
    ...(metrics.connections ? [bytes("sent"), bytes("received")] : []),
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

const align = "right" as const;
const rate = ({ signals }: Caller) => <NumberWithUnit value={signals.requestRate} kind="rps" />;
const connectionRate = ({ signals }: Caller) => <NumberWithUnit value={signals.requestRate} kind="per-second" />;
const ms = (value: number | null) => <NumberWithUnit value={value} kind="ms" />;
