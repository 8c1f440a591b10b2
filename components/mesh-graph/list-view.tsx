"use client";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Graph, GraphEdge, GraphNode, Health, Signals } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { SortedTable } from "../list/sorted-table.tsx";
import { Compared } from "../metrics/compared.tsx";
import type { Column } from "../ui/data-table.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { EmptyState } from "../ui/states.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { useEarlier } from "./earlier.ts";
import { mtlsOf, protocolNames, useNodeNames } from "./graph-text.ts";
import { titleOf } from "./subject.ts";
import styles from "./topology.module.css";
import type { TopologyState } from "./use-topology-state.ts";

export interface ListViewProps {
  graph: Pick<Graph, "nodes" | "edges">;
  /** Ids of what was found; null: everything. */
  lit: ReadonlySet<string> | null;
  state: TopologyState;
}

/** The graph as two tables: all that the picture says, by keyboard. */
export function ListView({ graph, lit, state }: ListViewProps) {
  const t = useTranslations("topology");
  const nameOf = useNodeNames(graph);
  const isShown = ({ id }: { id: string }) => lit === null || lit.has(id);
  const common = {
    rowKey: ({ id }: { id: string }) => id,
    defaultSort: "-errors",
    isSelected: ({ id }: { id: string }) => id === state.select,
  };
  const [nodeColumns, edgeColumns] = [useNodeColumns(state, nameOf), useEdgeColumns(state, nameOf)];
  const nodes = graph.nodes.filter(isShown);
  const edges = graph.edges.filter(isShown);
  // A call that is found brings its two ends along: without a workload there is no call either.
  const nothing = nodes.length === 0;
  return (
    <div className={styles.list} data-testid="graph-table">
      <Panel title={!nothing && t("nodes")} hint={nodes.length} flush>
        <SortedTable
          {...common}
          caption={t("nodes")}
          columns={nodeColumns}
          rows={nodes}
          rowProps={({ id, health }) => ({ "data-node": id, "data-health": health })}
          empty={<NoMatch title={t("no-match")} filters={["find"]} />}
        />
      </Panel>
      {!nothing && (
        <Panel title={t("edges")} hint={edges.length} flush>
          <SortedTable
            {...common}
            caption={t("edges")}
            columns={edgeColumns}
            rows={edges}
            rowProps={({ id, health }) => ({ "data-edge": id, "data-health": health })}
            empty={<EmptyState title={t(lit === null ? "empty" : "no-match-edges")}>{t("empty-text")}</EmptyState>}
          />
        </Panel>
      )}
    </div>
  );
}

interface Measured {
  id: string;
  health: Health;
  signals: Signals;
}

/** As wide in both tables, because they stand below each other. */
function useSignalColumns<Row extends Measured>(): Column<Row>[] {
  const t = useTranslations("topology");
  const earlier = useEarlier();
  const figure = { align: "right", width: "10%" } as const;
  const compared = ({ id, signals }: Row, of: (signals: Signals) => number | null, shown: ReactNode) => (
    <Compared now={signals} before={earlier && (earlier.get(id) ?? null)} of={of}>
      {shown}
    </Compared>
  );
  return [
    {
      key: "rate",
      header: t("col-rate"),
      ...figure,
      sortValue: ({ signals }) => signals.requestRate,
      cell: (row) =>
        compared(row, ({ requestRate }) => requestRate, <NumberWithUnit value={row.signals.requestRate} kind="rps" />),
    },
    {
      key: "errors",
      header: t("col-errors"),
      ...figure,
      sortValue: ({ signals }) => signals.errorShare,
      cell: (row) => compared(row, ({ errorShare }) => errorShare, <ErrorShare signals={row.signals} />),
    },
    {
      key: "p50",
      header: t("col-p50"),
      ...figure,
      phone: "hidden",
      sortValue: ({ signals }) => signals.latencyMsP50 ?? -1,
      cell: ({ signals }) => <NumberWithUnit value={signals.latencyMsP50} kind="ms" />,
    },
    {
      key: "p95",
      header: t("col-p95"),
      ...figure,
      sortValue: ({ signals }) => signals.latencyMsP95 ?? -1,
      cell: (row) => compared(row, ({ latencyMsP95 }) => latencyMsP95, <LatencyP95 signals={row.signals} />),
    },
    {
      key: "p99",
      header: t("col-p99"),
      ...figure,
      phone: "hidden",
      sortValue: ({ signals }) => signals.latencyMsP99 ?? -1,
      cell: ({ signals }) => <NumberWithUnit value={signals.latencyMsP99} kind="ms" />,
    },
  ];
}

function useNodeColumns({ set }: TopologyState, nameOf: (id: string) => string): Column<GraphNode>[] {
  const t = useTranslations("topology");
  return [
    {
      key: "name",
      header: t("col-name"),
      width: "30%",
      phone: "title",
      sortValue: ({ id }) => nameOf(id),
      cell: (node) => (
        <span className={styles.name}>
          <HealthMark health={node.health} />
          <button type="button" onClick={() => set({ select: node.id })}>
            {node.kind === "workload" ? titleOf(node) : nameOf(node.id)}
          </button>
          {node.kind === "workload" && node.version && <VersionChip version={node.version} />}
          {node.group && <span className="muted">{t("members", { count: node.group.members.length })}</span>}
          {node.kind !== "workload" && nameOf(node.id) !== t(node.kind) && (
            <span className="muted">{t(node.kind)}</span>
          )}
          {node.kind !== "source" && node.kind !== "unknown" && <span className="muted mono">{node.namespace}</span>}
        </span>
      ),
    },
    {
      key: "badges",
      header: t("col-badges"),
      cell: ({ badges }) =>
        badges.length > 0 && (
          <span className={styles.badges}>
            {badges.map((badge, index) => (
              <span key={badge} title={t(`badge-says-${badge}`)}>
                {index > 0 && ", "}
                {t(`badge-${badge}`)}
              </span>
            ))}
          </span>
        ),
    },
    ...useSignalColumns<GraphNode>(),
  ];
}

function useEdgeColumns({ set }: TopologyState, nameOf: (id: string) => string): Column<GraphEdge>[] {
  const t = useTranslations("topology");
  return [
    {
      key: "name",
      header: t("col-from"),
      width: "30%",
      phone: "title",
      sortValue: ({ source }) => nameOf(source),
      cell: ({ id, source, health }) => (
        <span className={styles.name}>
          <HealthMark health={health} />
          <button type="button" onClick={() => set({ select: id })}>
            {nameOf(source)}
          </button>
        </span>
      ),
    },
    {
      key: "to",
      header: t("col-to"),
      sortValue: ({ target }) => nameOf(target),
      cell: ({ target }) => nameOf(target),
    },
    {
      key: "protocol",
      header: t("col-protocol"),
      sortValue: ({ protocol }) => protocol,
      cell: ({ protocol }) => <span className="muted">{protocolNames[protocol] ?? "HTTP"}</span>,
    },
    {
      key: "mtls",
      header: t("col-mtls"),
      phone: "hidden",
      sortValue: ({ mtls }) => mtls,
      cell: (edge) => <span className="muted">{t(`mtls-${mtlsOf(edge)}`)}</span>,
    },
    ...useSignalColumns<GraphEdge>(),
  ];
}
