"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import {
  type ClusterRow,
  type EndpointRow,
  findService,
  type ListenerRow,
  type MeshService,
  ProxyTables,
  type RouteRow,
} from "../../server/contract/index.ts";
import { getJson } from "../lib/api.ts";
import { proxyResourceHref, proxyTableHref, ruleHref, serviceHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { useServices } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { useFollowing } from "../lib/use-following.ts";
import { LiveContent } from "../list/live-content.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { Notice } from "../ui/states.tsx";
import { defaultWindowSec } from "../ui/time-window.ts";
import styles from "./config-dump.module.css";

export const heldViews = ["resources", "listeners", "routes", "clusters", "endpoints", "load", "stats"] as const;
type TableName = "listeners" | "routes" | "clusters" | "endpoints";

/** What a proxy has in force as rows; each leads to the object that it comes from, to what it sends to, and to its raw form. */
export function HeldTable({ id, table }: { id: string; table: TableName }) {
  const t = useTranslations("proxies");
  const live = useLive({
    queryKey: ["proxy-tables", id],
    read: (signal) => getJson(ProxyTables, `/api/proxies/${encodeURIComponent(id)}/tables`, signal),
    everyMs: 5000,
  });
  const services = useServices(defaultWindowSec).data?.services ?? [];
  return (
    <div className={styles.rows} data-testid={`table-${table}`}>
      <FindRows />
      <LiveContent live={live} unreadable={t("dump-unreadable")} skeleton={<SkeletonBlock height={400} />}>
        {(tables) => (
          <>
            {tables.more > 0 && <Notice tone="warn">{t("rows-more", { count: tables.more })}</Notice>}
            <Rows tables={tables} table={table} services={services} />
          </>
        )}
      </LiveContent>
    </div>
  );
}

function FindRows() {
  const t = useTranslations("proxies");
  const url = useUrlState();
  const text = url.get("find") ?? "";
  return (
    <div className={styles.search}>
      <input
        ref={useFollowing(text)}
        type="search"
        placeholder={t("row-filter")}
        aria-label={t("row-filter")}
        defaultValue={text}
        onChange={(event) => url.set({ find: event.currentTarget.value })}
        data-testid="row-filter"
      />
    </div>
  );
}

interface RowsProps {
  tables: ProxyTables;
  table: TableName;
  services: readonly MeshService[];
}

function Rows({ tables, table, services }: RowsProps) {
  const t = useTranslations("proxies");
  const words = (useUrlState().get("find") ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  const { id } = tables;
  const found = <Row extends object>(rows: readonly Row[]): Row[] =>
    rows.filter((row) => {
      const text = JSON.stringify(row).toLowerCase();
      return words.every((word) => text.includes(word));
    });
  const common = { caption: t(`held-${table}`), dense: true, empty: <p className={styles.none}>{t("no-resource")}</p> };
  switch (table) {
    case "listeners":
      return <ListenerTable {...common} id={id} rows={found(tables.listeners)} />;
    case "routes":
      return <RouteTable {...common} id={id} rows={found(tables.routes)} services={services} />;
    case "clusters":
      return <ClusterTable {...common} id={id} rows={found(tables.clusters)} services={services} />;
    case "endpoints":
      return <EndpointTable {...common} id={id} rows={found(tables.endpoints)} />;
  }
}

interface TableProps<Row> {
  id: string;
  rows: readonly Row[];
  caption: string;
  dense: boolean;
  empty: ReactNode;
}

type Sourced = Pick<ListenerRow, "resource" | "origin">;

/** The object behind a row, and its raw form. */
function useSourceColumns<Row extends Sourced>(id: string, other?: (row: Row) => ReactNode): Column<Row>[] {
  const t = useTranslations("proxies");
  return [
    {
      key: "from",
      header: t("comes-from"),
      cell: (row) => {
        const { origin } = row;
        if (!origin) return other?.(row) ?? <span className="muted">{t("of-the-mesh")}</span>;
        return (
          <ObjectLink className="link" href={ruleHref(origin)}>
            {origin.kind} {origin.name} {origin.rule && <code>{origin.rule}</code>}
          </ObjectLink>
        );
      },
    },
    {
      key: "raw",
      header: <span className="visually-hidden">{t("raw")}</span>,
      align: "right",
      phone: "hidden",
      cell: ({ resource }) => (
        <Link className="link" href={proxyResourceHref(id, resource.type, resource.name)}>
          {t("raw")}
        </Link>
      ),
    },
  ];
}

function ListenerTable({ id, ...table }: TableProps<ListenerRow>) {
  const t = useTranslations("proxies");
  const columns: Column<ListenerRow>[] = [
    {
      key: "address",
      header: t("col-address"),
      phone: "title",
      cell: ({ address, port, listener }) => (
        <span className="mono">
          {address}:{port} <span className="muted">{listener}</span>
        </span>
      ),
    },
    { key: "chain", header: t("col-chain"), cell: ({ chain }) => chain },
    {
      key: "serves",
      header: t("col-serves"),
      cell: ({ serves, tls, filters }) => (
        <span title={filters.join("\n")}>
          {serves} {tls !== "none" && <span className="muted">TLS {tls}</span>}
        </span>
      ),
    },
    {
      key: "to",
      header: t("col-to"),
      cell: ({ to, serves }) =>
        to && (
          <Link className="link" href={proxyTableHref(id, serves === "http" ? "routes" : "clusters", to)}>
            {to}
          </Link>
        ),
    },
    ...useSourceColumns<ListenerRow>(id),
  ];
  return <DataTable {...table} columns={columns} rowKey={({ listener, chain }) => `${listener} ${chain}`} />;
}

function RouteTable({ id, services, ...table }: TableProps<RouteRow> & { services: readonly MeshService[] }) {
  const t = useTranslations("proxies");
  const columns: Column<RouteRow>[] = [
    {
      key: "host",
      header: t("col-host"),
      phone: "title",
      cell: ({ table: of, virtualHost, domains }) => (
        <span title={domains.join("\n")}>
          {virtualHost} <span className="muted">{of}</span>
        </span>
      ),
    },
    {
      key: "match",
      header: t("col-match"),
      cell: ({ match }) => match || <span className="muted">{t("any-request")}</span>,
    },
    {
      key: "to",
      header: t("col-to"),
      cell: ({ does, to }) =>
        does === "forward" && to ? (
          to.split(", ").map((cluster) => (
            <div key={cluster}>
              <Link className="link" href={proxyTableHref(id, "clusters", cluster)}>
                {cluster}
              </Link>
            </div>
          ))
        ) : (
          <span className="muted">
            {does} {to}
          </span>
        ),
    },
    ...useSourceColumns<RouteRow>(id, ({ domains }) => <ServiceOf host={domains[0]} services={services} />),
  ];
  const keys = new Map(table.rows.map((row, index) => [row, String(index)]));
  return <DataTable {...table} columns={columns} rowKey={(row) => keys.get(row) ?? ""} />;
}

/** What has no rule of its own comes from the service that it is for. */
function ServiceOf({ host, services }: { host: string | undefined; services: readonly MeshService[] }) {
  const name = host?.replace(/:\d+$/, "");
  const found =
    services.find(({ hostname }) => hostname === name) ??
    services.find((one) => name && findService([one], one.namespace, name));
  if (!found) return null;
  return (
    <ObjectLink className="link" href={serviceHref(found)}>
      {found.name}
    </ObjectLink>
  );
}

function ClusterTable({ id, services, ...table }: TableProps<ClusterRow> & { services: readonly MeshService[] }) {
  const t = useTranslations("proxies");
  const columns: Column<ClusterRow>[] = [
    { key: "host", header: t("col-host"), phone: "title", cell: ({ host }) => host },
    {
      key: "port",
      header: t("col-port"),
      align: "right",
      cell: ({ port }) => <span className="num">{port || "–"}</span>,
    },
    { key: "subset", header: t("col-subset"), cell: ({ subset }) => subset || <span className="muted">–</span> },
    {
      key: "direction",
      header: t("col-direction"),
      cell: ({ direction, discovery }) => (
        <>
          {direction} <span className="muted">{discovery}</span>
        </>
      ),
    },
    {
      key: "endpoints",
      header: t("held-endpoints"),
      align: "right",
      cell: ({ cluster, endpoints, healthy }) =>
        endpoints === null ? (
          <span className="muted">–</span>
        ) : (
          <Link className="link num" href={proxyTableHref(id, "endpoints", cluster)}>
            {healthy === endpoints ? endpoints : `${healthy} / ${endpoints}`}
          </Link>
        ),
    },
    ...useSourceColumns<ClusterRow>(id, ({ host }) => <ServiceOf host={host} services={services} />),
  ];
  return <DataTable {...table} columns={columns} rowKey={({ cluster }) => cluster} />;
}

function EndpointTable({ id, ...table }: TableProps<EndpointRow>) {
  const t = useTranslations("proxies");
  const columns: Column<EndpointRow>[] = [
    {
      key: "address",
      header: t("col-address"),
      phone: "title",
      cell: ({ address }) => <span className="mono">{address}</span>,
    },
    {
      key: "health",
      header: t("col-health"),
      cell: ({ health, tls }) => (
        <>
          {health} {tls !== "none" && <span className="muted">TLS {tls}</span>}
        </>
      ),
    },
    {
      key: "weight",
      header: t("col-weight"),
      align: "right",
      cell: ({ weight, priority }) => (
        <span className="num">
          {weight}
          {priority > 0 && ` · P${priority}`}
        </span>
      ),
    },
    {
      key: "workload",
      header: t("col-workload"),
      cell: ({ workload, locality }) => (
        <>
          {workload} <span className="muted">{locality}</span>
        </>
      ),
    },
    {
      key: "cluster",
      header: t("load-cluster"),
      cell: ({ cluster }) => (
        <Link className="link" href={proxyTableHref(id, "clusters", cluster)}>
          {cluster}
        </Link>
      ),
    },
  ];
  return <DataTable {...table} columns={columns} rowKey={({ cluster, address }) => `${cluster} ${address}`} />;
}
