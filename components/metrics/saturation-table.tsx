"use client";
import { useTranslations } from "use-intl";
import type { ProxySaturation } from "../../server/contract/index.ts";
import { proxyMetricsHref } from "../lib/links.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { Measure } from "./measure.tsx";
import { SaturationValue } from "./saturation-value.tsx";

/** How full each of a few proxies is, the fullest first. */
export function SaturationTable({ proxies, caption }: { proxies: readonly ProxySaturation[]; caption: string }) {
  const t = useTranslations("metrics");
  const columns: Column<ProxySaturation>[] = [
    {
      key: "proxy",
      header: t("col-proxy"),
      phone: "title",
      cell: ({ id, workload }) => (
        <Link className="link" href={proxyMetricsHref(id)}>
          {workload}
        </Link>
      ),
    },
    figure("saturation", t("col-saturation"), (proxy) => <SaturationValue of={proxy} />),
    figure("cpu", t("col-cpu"), ({ cpu }) => <Measure value={cpu} kind="cores" />),
    figure("memory", t("col-memory"), ({ memoryBytes }) => <Measure value={memoryBytes} kind="bytes" />),
    figure("connections", t("col-connections"), ({ connections }) => <Measure value={connections} kind="count" />),
    figure("requests", t("col-requests"), ({ requests }) => <Measure value={requests} kind="count" />),
    figure("pending", t("col-pending"), ({ pending }) => <Measure value={pending} kind="count" />),
    figure("delay", t("col-delay"), ({ loopDelayMsP99 }) => <Measure value={loopDelayMsP99} kind="ms" />),
    figure("overflow", t("col-overflow"), ({ overflowRate }) => <Measure value={overflowRate} kind="hz" />),
  ];
  return <DataTable caption={caption} columns={columns} rows={proxies} rowKey={({ id }) => id} />;
}

const figure = (key: string, header: string, cell: Column<ProxySaturation>["cell"]): Column<ProxySaturation> => ({
  key,
  header,
  align: "right",
  cell,
});
