"use client";
import { useTranslations } from "use-intl";
import type { Graph, GraphEdge, GraphNode, Health, Signals } from "../../server/contract/index.ts";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { useNodeNames } from "./graph-text.ts";
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
    isSelected: ({ id }: { id: string }) => id === state.select,
    onSort: (sort: string) => state.set({ sort }),
  };
  const [nodeColumns, edgeColumns] = [useNodeColumns(state, nameOf), useEdgeColumns(state, nameOf)];
  const nodes = graph.nodes.filter(isShown);
  const edges = graph.edges.filter(isShown);
  return (
    <div className={styles.list} data-testid="graph-table">
      <Panel title={t("nodes")} hint={nodes.length} flush>
        <DataTable
          {...common}
          caption={t("nodes")}
          columns={nodeColumns}
          rows={nodes}
          rowKey={({ id }) => id}
          sort={state.sort ?? "-errors"}
          rowProps={({ id, health }) => ({ "data-node": id, "data-health": health })}
        />
      </Panel>
      <Panel title={t("edges")} hint={edges.length} flush>
        <DataTable
          {...common}
          caption={t("edges")}
          columns={edgeColumns}
          rows={edges}
          rowKey={({ id }) => id}
          sort={state.sort ?? "-errors"}
          rowProps={({ id, health }) => ({ "data-edge": id, "data-health": health })}
        />
      </Panel>
    </div>
  );
}

interface Measured {
  health: Health;
  signals: Signals;
}

function useSignalColumns<Row extends Measured>(): Column<Row>[] {
  const t = useTranslations("topology");
  const tone = (health: Health) => (health === "failing" ? "bad" : health === "degraded" ? "warn" : "plain");
  return [
    {
      key: "rate",
      header: t("col-rate"),
      align: "right",
      sortValue: ({ signals }) => signals.requestRate,
      cell: ({ signals }) => <NumberWithUnit value={signals.requestRate} kind="rps" />,
    },
    {
      key: "errors",
      header: t("col-errors"),
      align: "right",
      sortValue: ({ signals }) => signals.errorShare,
      cell: ({ signals, health }) => <NumberWithUnit value={signals.errorShare} kind="share" tone={tone(health)} />,
    },
    {
      key: "p50",
      header: t("col-p50"),
      align: "right",
      phone: "hidden",
      sortValue: ({ signals }) => signals.latencyMsP50 ?? -1,
      cell: ({ signals }) => <NumberWithUnit value={signals.latencyMsP50} kind="ms" />,
    },
    {
      key: "p95",
      header: t("col-p95"),
      align: "right",
      sortValue: ({ signals }) => signals.latencyMsP95 ?? -1,
      cell: ({ signals }) => <NumberWithUnit value={signals.latencyMsP95} kind="ms" />,
    },
    {
      key: "p99",
      header: t("col-p99"),
      align: "right",
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
      phone: "title",
      sortValue: ({ id }) => id,
      cell: (node) => (
        <span className={styles.name}>
          <HealthMark health={node.health} />
          <button type="button" onClick={() => set({ select: node.id })}>
            {node.kind === "workload" ? node.app : nameOf(node.id)}
          </button>
          {node.kind === "workload" && node.version ? (
            <VersionChip version={node.version} />
          ) : (
            node.kind !== "workload" && <span className="muted">{t(node.kind)}</span>
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
      phone: "title",
      sortValue: ({ source }) => source,
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
      sortValue: ({ target }) => target,
      cell: ({ target }) => nameOf(target),
    },
    ...useSignalColumns<GraphEdge>(),
  ];
}
