"use client";
import { useTranslations } from "use-intl";
import type { ProxyLoad } from "../../server/contract/index.ts";
import { useLoads } from "../lib/queries.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";

const shownAtMost = 12;

/** What a proxy reports of the load that it sends (LRS), the busiest clusters first; nothing where it reports none. */
export function LoadTable({ id }: { id: string }) {
  const t = useTranslations("proxies");
  const loads = useLoads().data?.proxies.find((proxy) => proxy.id === id)?.loads ?? [];
  if (loads.length === 0) return null;
  const rate = (key: string, header: string, value: (load: ProxyLoad) => number): Column<ProxyLoad> => ({
    key,
    header,
    align: "right",
    cell: (load) => <NumberWithUnit value={value(load)} kind="rps" />,
  });
  return (
    <DataTable
      caption={t("loads")}
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
      rows={loads.slice(0, shownAtMost)}
      rowKey={({ cluster, locality }) => `${cluster} ${locality}`}
    />
  );
}
