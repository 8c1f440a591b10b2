"use client";
import { memo } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Graph, GraphEdge, Signals } from "../../server/contract/index.ts";
import { formatBytesRate, formatRate, formatShare, quantityText } from "../ui/format.ts";
import { mtlsOf, useNodeNames } from "./graph-text.ts";

export interface AccessibleGraphProps {
  graph: Pick<Graph, "nodes" | "edges">;
  selected: string | null;
  onSelect: (id: string) => void;
  onFocus: (id: string | null) => void;
}

/** Past this a linear reading is no help: the list view sorts and filters. */
const most = 400;

/** The graph for who does not see it, and for tests: every node and call as a button with its health in words. */
export const AccessibleGraph = memo(function AccessibleGraph({
  graph,
  selected,
  onSelect,
  onFocus,
}: AccessibleGraphProps) {
  const t = useTranslations("topology");
  const health = useTranslations("ui.health");
  const locale = useLocale();
  const nameOf = useNodeNames(graph);
  const numbers = ({ requestRate, errorShare }: Signals) => ({
    rate: quantityText(formatRate(requestRate, locale)),
    errors: quantityText(formatShare(errorShare, locale)),
  });
  const callSaid = ({ source, target, health: of, signals, bytesPerSecond: bytes }: GraphEdge) => {
    const call = { from: nameOf(source), to: nameOf(target), health: health(of) };
    if (!bytes) return t("edge-said", { ...call, ...numbers(signals) });
    const rate = (bytesPerSecond: number) => quantityText(formatBytesRate(bytesPerSecond, locale));
    return t("edge-said-tcp", { ...call, sent: rate(bytes.sent), received: rate(bytes.received) });
  };
  const button = (id: string, said: string) => (
    <button
      type="button"
      aria-pressed={selected === id}
      onClick={() => onSelect(id)}
      onFocus={() => onFocus(id)}
      onBlur={() => onFocus(null)}
    >
      {said}
    </button>
  );
  return (
    <div className="visually-hidden" data-testid="graph-list">
      <p>{t("graph", { nodes: graph.nodes.length, edges: graph.edges.length })}</p>
      <ul aria-label={t("nodes")}>
        {graph.nodes.slice(0, most).map((node) => (
          <li key={node.id} data-node={node.id} data-health={node.health} data-badges={node.badges.join(" ")}>
            {button(
              node.id,
              [
                t("node-said", { name: nameOf(node.id), health: health(node.health), ...numbers(node.signals) }),
                ...node.badges.map((badge) => t(`badge-says-${badge}`)),
              ].join(", "),
            )}
          </li>
        ))}
      </ul>
      <ul aria-label={t("edges")}>
        {graph.edges.slice(0, most).map((edge) => (
          <li
            key={edge.id}
            data-edge={edge.id}
            data-source={edge.source}
            data-target={edge.target}
            data-health={edge.health}
            data-rate={edge.signals.requestRate.toFixed(3)}
            data-errors={edge.signals.errorShare.toFixed(4)}
            data-mtls={mtlsOf(edge)}
            data-faults={edge.faults?.length ?? 0}
          >
            {button(
              edge.id,
              [
                callSaid(edge),
                ...(edge.protocol === "grpc" ? [t("edge-said-grpc")] : []),
                ...(edge.faults?.length ? [t("badge-says-fault")] : []),
                ...(edge.mtls > 0 ? [t(edge.mtls < 1 ? "mtls-says-some" : "mtls-says-all")] : []),
              ].join(", "),
            )}
          </li>
        ))}
      </ul>
    </div>
  );
});
