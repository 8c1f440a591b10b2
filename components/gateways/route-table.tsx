"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { GatewayRoute, GatewayView, Graph, GraphNode, Signals } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { explainHref, ruleHref, serviceHref } from "../lib/links.ts";
import { Compared } from "../metrics/compared.tsx";
import { useConditionsText } from "../traffic/conditions-text.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import { onlyTarget, rulesBeside, signalsTo } from "./gateway-traffic.ts";
import styles from "./gateways.module.css";

export interface RouteTableProps {
  gateway: GatewayView;
  /** All there are. */
  gateways: readonly GatewayView[];
  graph: Graph | undefined;
  /** In the time that it is compared with. */
  before: Graph | undefined;
  nodes: readonly GraphNode[];
}

/** The rules by which requests go on, in the order in which they are asked, with what each service gets from here. */
export function RouteTable(props: RouteTableProps) {
  const { gateway } = props;
  const t = useTranslations("gateways");
  const columns = useColumns(props);
  return (
    <DataTable
      caption={t("routes")}
      columns={columns}
      rows={gateway.routes}
      rowKey={keyOf}
      rowProps={({ rule }) => ({ "data-route": rule.destinations.map(({ host }) => host).join(",") })}
      empty={<EmptyState title={t("no-routes")}>{t("no-routes-text")}</EmptyState>}
    />
  );
}

/** A delegate's rule is there once for each root, and for each of its rules. */
const keyOf = ({ virtualService, kind, rule, hosts }: GatewayRoute): string =>
  [virtualService.namespace, virtualService.name, kind, rule.index, ...hosts, ...rule.matches].join("/");

function useColumns({ gateway, gateways, graph, before, nodes }: RouteTableProps): Column<GatewayRoute>[] {
  const t = useTranslations("gateways");
  const conditions = useConditionsText();
  const ofRoute = (route: GatewayRoute, at = graph) => {
    const target = onlyTarget(route);
    return at && target !== null ? signalsTo(nodes, at, target) : null;
  };
  const shared = (route: GatewayRoute) => {
    const count = ofRoute(route) ? rulesBeside(route, gateway, gateways) : 0;
    return count > 0 && <div className="muted">{t("shared-rule", { count })}</div>;
  };
  const compared = (route: GatewayRoute, of: (signals: Signals) => number | null, figure: ReactNode) => (
    <Compared now={ofRoute(route) ?? undefined} before={before && ofRoute(route, before)} of={of}>
      {figure}
    </Compared>
  );
  return [
    {
      key: "match",
      header: t("col-match"),
      phone: "title",
      cell: ({ virtualService, kind, rule, hosts }) => (
        <span className={styles.match}>
          <ObjectLink
            className="link"
            href={ruleHref({ kind: "VirtualService", ...virtualService, rule: `${kind}[${rule.index}]` })}
          >
            {rule.name ?? `${virtualService.name} ${kind}[${rule.index}]`}
          </ObjectLink>
          <span className="muted mono">{hosts.map((host) => (host === "*" ? t("any-host") : host)).join(", ")}</span>
          <span>{conditions(kind === "http" ? rule : { matches: rule.matches })}</span>
        </span>
      ),
    },
    { key: "to", header: t("col-to"), cell: (route) => <Destinations route={route} /> },
    {
      key: "rate",
      header: t("col-rate"),
      align: "right",
      cell: (route) => (
        <>
          {compared(
            route,
            ({ requestRate }) => requestRate,
            <NumberWithUnit value={ofRoute(route)?.requestRate ?? null} kind="rps" />,
          )}
          {shared(route)}
        </>
      ),
    },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      cell: (route) => {
        const signals = ofRoute(route);
        return signals && compared(route, ({ errorShare }) => errorShare, <ErrorShare signals={signals} />);
      },
    },
    {
      key: "p95",
      header: "p95",
      align: "right",
      cell: (route) => {
        const signals = ofRoute(route);
        return signals && compared(route, ({ latencyMsP95 }) => latencyMsP95, <LatencyP95 signals={signals} />);
      },
    },
    {
      key: "explain",
      header: <span className="visually-hidden">{t("explain")}</span>,
      align: "right",
      phone: "hidden",
      cell: ({ hosts, kind }) => {
        const [gateway] = nodes;
        const [host = "*"] = hosts;
        if (!gateway?.workload || kind !== "http") return null;
        const url = `http://${host.replace("*", "example")}/`;
        return (
          <Link className="link" href={explainHref({ from: `${gateway.namespace}/${gateway.workload}`, url })}>
            {t("explain")}
          </Link>
        );
      },
    },
  ];
}

function Destinations({ route: { rule, services } }: { route: GatewayRoute }) {
  const t = useTranslations("gateways");
  if (rule.redirect !== null) return <span className="muted">{rule.redirect}</span>;
  return (
    <span className={styles.destinations}>
      {rule.destinations.map(({ host, subset, weight }, index) => {
        const service = services[index];
        return (
          <span key={`${host}/${subset}/${weight}`}>
            {service ? (
              <ObjectLink className="link" href={serviceHref(service)}>
                {service.name}
              </ObjectLink>
            ) : (
              <span className={styles.warn}>{t("unknown-host", { host })}</span>
            )}
            {subset && <span className="muted"> {subset}</span>}
            {rule.destinations.length > 1 && <span className="num"> {weight} %</span>}
          </span>
        );
      })}
      {rule.timeout && <span className="muted">{t("timeout", { time: rule.timeout })}</span>}
      {rule.fault && <span className={styles.warn}>{rule.fault}</span>}
    </span>
  );
}
