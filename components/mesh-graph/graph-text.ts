"use client";
import { useMemo } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { GraphEdge, GraphNode } from "../../server/contract/index.ts";
import { formatMs, formatRate, formatShare, quantityText } from "../ui/format.ts";
import type { SceneText } from "./scene.ts";
import type { LabelKind } from "./use-topology-state.ts";

/** Errors are worth a label from this share on. */
const notable = 0.01;

/** What the graph says below rings and on calls: `13 rps · 17 ms`, or `13 rps · 24 % 503` where it fails. */
export function useGraphText(labels: readonly LabelKind[]): SceneText {
  const t = useTranslations("topology");
  const locale = useLocale();
  return useMemo(
    () => ({
      sub: (node: GraphNode) => {
        if (node.kind !== "workload") return t(node.kind);
        return node.version ?? "";
      },
      label: (edge: GraphEdge) => labelOf(edge, labels, locale),
    }),
    [t, locale, labels],
  );
}

export function labelOf({ signals, codes }: GraphEdge, labels: readonly LabelKind[], locale: string): string {
  if (signals.requestRate <= 0) return "";
  const failing = labels.includes("errors") && signals.errorShare > notable;
  const parts: string[] = [];
  if (labels.includes("rate")) parts.push(quantityText(formatRate(signals.requestRate, locale)));
  if (failing)
    parts.push([quantityText(formatShare(signals.errorShare, locale)), worstCode(codes)].filter(Boolean).join(" "));
  else if (labels.includes("p95") && signals.latencyMsP95 !== null)
    parts.push(quantityText(formatMs(signals.latencyMsP95, locale)));
  return parts.join(" · ");
}

/** The 5xx answer that is given most. */
function worstCode(codes: GraphEdge["codes"]): string {
  const failed = Object.entries(codes).filter(([code, rate]) => code.startsWith("5") && rate > 0);
  return failed.toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}

/** A node in words: `reviews v2`. */
export const nodeName = (node: Pick<GraphNode, "app" | "version">): string =>
  node.version ? `${node.app} ${node.version}` : node.app;
