"use client";
import { useTranslations } from "use-intl";
import type { ProxyLoad } from "../../server/contract/index.ts";
import { useLoads } from "../lib/queries.ts";
import { Unreadable } from "../list/live-content.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";

/** What a proxy reports of the load that it sends (LRS), the busiest clusters first. */
export function LoadTable({ id }: { id: string }) {
  const t = useTranslations("proxies");
  const live = useLoads();
  const loads = live.data?.proxies.find((proxy) => proxy.id === id)?.loads ?? [];
  if (!live.data)
    return live.error ? (
      <Unreadable title={t("loads-unreadable")} live={live} />
    ) : (
      <TableSkeleton rows={6} columns={5} />
    );
  if (loads.length === 0) return <EmptyState title={t("loads-none")}>{t("loads-none-text")}</EmptyState>;
  const rate = (key: string, header: string, value: (load: ProxyLoad) => number): Column<ProxyLoad> => ({
    key,
    header,
    align: "right",
    cell: (load) => <NumberWithUnit value={value(load)} kind="rps" />,
  });
  return (
    <DataTable
      caption={t("loads")}
      dense
      columns={[
        {
          key: "cluster",
          header: t("load-cluster"),
          cell: ({ cluster, locality }) => (
            <>
              {cluster} {locality && <span className="muted">{locality}</span>}
            </>
          ),
        },
        rate("requests", t("load-requests"), ({ requestsPerSec }) => requestsPerSec),
        rate("errors", t("load-errors"), ({ errorsPerSec }) => errorsPerSec),
        rate("dropped", t("load-dropped"), ({ droppedPerSec }) => droppedPerSec),
        {
          key: "running",
          header: t("load-running"),
          align: "right",
          cell: ({ inProgress }) => <span className="num">{inProgress}</span>,
        },
      ]}
      rows={loads}
      rowKey={({ cluster, locality }) => `${cluster} ${locality}`}
    />
  );
}
