"use client";
import { IconMinus, IconPlus, IconX } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import type { Graph } from "../../server/contract/index.ts";
import { useNodeNames } from "./graph-text.ts";
import styles from "./topology.module.css";
import { mostHops, type TopologyState } from "./use-topology-state.ts";

export interface FocusBarProps {
  graph: Pick<Graph, "nodes">;
  /** What is left of it. */
  shown: Pick<Graph, "nodes">;
  focus: { id: string; hops: number };
  set: TopologyState["set"];
}

/** Around what the graph is drawn, how far, and the way out. */
export function FocusBar({ graph, shown, focus: { id, hops }, set }: FocusBarProps) {
  const t = useTranslations("topology");
  const nameOf = useNodeNames(graph);
  const to = (next: number) => set({ hops: next === 1 ? null : String(next) });
  const name = nameOf(id) === id ? (id.split("/")[1] ?? id) : nameOf(id);
  const isThere = shown.nodes.some((node) => node.id === id || node.box === id);
  return (
    <div className={`${styles.trace} ${styles.focus}`} role="status" data-testid="focus-bar">
      <b>{t(isThere ? "focus-on" : "focus-gone", { name })}</b>
      <button type="button" onClick={() => to(hops - 1)} disabled={hops <= 1} aria-label={t("fewer-hops")}>
        <IconMinus size={14} aria-hidden />
      </button>
      <output className="num">{t("hops", { count: hops })}</output>
      <button type="button" onClick={() => to(hops + 1)} disabled={hops >= mostHops} aria-label={t("more-hops")}>
        <IconPlus size={14} aria-hidden />
      </button>
      <button type="button" onClick={() => set({ focus: null, hops: null })} aria-label={t("focus-end")}>
        <IconX size={14} aria-hidden />
      </button>
    </div>
  );
}
