"use client";
import { useTranslations } from "use-intl";
import type { Graph, GraphEdge, Health, Signals } from "../../server/contract/index.ts";
import { ErrorShare, LatencyP95 } from "../health/signals.tsx";
import { type Column, DataTable } from "../ui/data-table.tsx";
import { HealthMark } from "../ui/health-mark.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SideSection } from "../ui/side-sheet.tsx";
import { useNodeNames } from "./graph-text.ts";
import styles from "./panel.module.css";
import { worstHealth } from "./scene.ts";
import { sumSignals } from "./subject.ts";
import type { TopologyState } from "./use-topology-state.ts";

export interface PeerTableProps {
  title: string;
  none: string;
  graph: Graph;
  edges: readonly GraphEdge[];
  /** Which end of the calls is named. */
  end: "source" | "target";
  state: TopologyState;
}

/** Who calls something, or whom it calls, busiest first; a row leads to the call, or to the peer when there are several. */
export function PeerTable({ title, none, graph, edges, end, state }: PeerTableProps) {
  const t = useTranslations("panel");
  const nameOf = useNodeNames(graph);
  const columns: Column<Peer>[] = [
    {
      key: "peer",
      header: end === "source" ? t("from") : t("to"),
      phone: "title",
      cell: (peer) => (
        <span className={styles.peer}>
          <HealthMark health={peer.health} />
          <button type="button" onClick={() => state.set({ select: peer.leadsTo })}>
            {nameOf(peer.id)}
          </button>
        </span>
      ),
    },
    {
      key: "rps",
      header: t("rps"),
      align: "right",
      cell: ({ signals }) => <NumberWithUnit value={signals.requestRate} kind="rps" bare />,
    },
    {
      key: "err",
      header: t("err"),
      align: "right",
      cell: ({ signals }) => <ErrorShare signals={signals} />,
    },
    {
      key: "p95",
      header: t("p95"),
      align: "right",
      cell: ({ signals }) => <LatencyP95 signals={signals} />,
    },
  ];
  return (
    <SideSection flush>
      <div className={styles.section}>
        <h3>{title}</h3>
        {edges.length === 0 ? (
          <p className="muted">{none}</p>
        ) : (
          <DataTable
            caption={title}
            columns={columns}
            rows={peersOf(edges, end)}
            rowKey={({ id }) => id}
            rowProps={({ id }) => ({ "data-peer": id })}
            dense
          />
        )}
      </div>
    </SideSection>
  );
}

interface Peer {
  id: string;
  health: Health;
  signals: Signals;
  leadsTo: string;
}

function peersOf(edges: readonly GraphEdge[], end: "source" | "target"): Peer[] {
  return [...Map.groupBy(edges, (edge) => edge[end])]
    .map(([id, calls]) => ({
      id,
      health: worstHealth(calls.map(({ health }) => health)),
      signals: sumSignals(calls.map(({ signals }) => signals)),
      leadsTo: calls.length === 1 ? (calls[0]?.id ?? id) : id,
    }))
    .toSorted((a, b) => b.signals.requestRate - a.signals.requestRate);
}
