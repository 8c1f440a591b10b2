"use client";
import Link from "next/link";
import { useTranslations } from "use-intl";
import type { ProxySync, ServiceListItem, ServiceVersion } from "../../server/contract/index.ts";
import { proxyHref } from "../lib/links.ts";
import { useProxies } from "../lib/queries.ts";
import { SyncMark } from "../proxy-sync/sync-mark.tsx";
import { worstState } from "../proxy-sync/sync-state.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { VersionChip } from "../ui/version-chip.tsx";

type Endpoint = ServiceVersion["endpoints"][number] & { version: string };

/** Where its requests can go, with the proxy that stands before each. */
export function EndpointsTab({ item }: { item: ServiceListItem | undefined }) {
  const t = useTranslations("service");
  const proxies = useProxies().data?.proxies ?? [];
  const rows = item?.versions.flatMap(({ version, endpoints }) => endpoints.map((one) => ({ ...one, version })));
  const proxyOf = ({ workload, address }: Endpoint): ProxySync | undefined =>
    proxies.find((proxy) => proxy.name === workload && proxy.namespace === item?.namespace) ??
    proxies.find((proxy) => proxy.address === address);
  const columns: Column<Endpoint>[] = [
    {
      key: "address",
      header: t("col-address"),
      phone: "title",
      cell: ({ address, port }) => (
        <span className="mono">
          {address}:{port}
        </span>
      ),
    },
    { key: "version", header: t("col-version"), cell: ({ version }) => <VersionChip version={version} /> },
    { key: "workload", header: t("col-workload"), cell: ({ workload }) => workload },
    {
      key: "proxy",
      header: t("col-proxy"),
      cell: (endpoint) => {
        const proxy = proxyOf(endpoint);
        if (!proxy) return <span className="muted">{t("no-proxy")}</span>;
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
        <TableSkeleton rows={3} columns={4} />
      </Panel>
    );
  }
  return (
    <Panel flush>
      <DataTable
        caption={t("endpoints")}
        columns={columns}
        rows={rows}
        rowKey={({ address, port }) => `${address}:${port}`}
        empty={<EmptyState title={t("endpoints-none")}>{t("endpoints-none-text")}</EmptyState>}
      />
    </Panel>
  );
}
