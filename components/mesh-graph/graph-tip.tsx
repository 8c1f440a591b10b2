"use client";
import { useLocale, useTranslations } from "use-intl";
import type { Badge, Flow, Graph, Health, Signals } from "../../server/contract/index.ts";
import { formatBytesRate, formatMs, formatRate, formatShare, quantityText } from "../ui/format.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { connectionsOnly } from "./flow.ts";
import { useNodeNames } from "./graph-text.ts";
import styles from "./graph-tip.module.css";
import type { Pointed } from "./graph-view.ts";
import { worstHealth } from "./scene.ts";
import { subjectOf, sumSignals } from "./subject.ts";

/** As high as a tip with badges is, and what lies between it and the pointer. */
const roomAbovePx = 120;

/** What is under the pointer in words: its name, its numbers, and what config does there. */
export function GraphTip({ graph, pointed }: { graph: Pick<Graph, "nodes" | "edges">; pointed: Pointed }) {
  const t = useTranslations("topology");
  const locale = useLocale();
  const nameOf = useNodeNames(graph);
  const told = tellOf(graph, pointed.id, nameOf);
  if (!told) return null;
  const { bytes } = told;
  const { requestRate, errorShare, latencyMsP95 } = told.signals;
  const errors = t("tip-errors", { errors: quantityText(formatShare(errorShare, locale)) });
  const rate = (perSecond: number) => quantityText(formatBytesRate(perSecond, locale));
  const numbers = bytes
    ? [t("tip-bytes", { sent: rate(bytes.sent), received: rate(bytes.received) }), errors]
    : [
        quantityText(formatRate(requestRate, locale)),
        errors,
        t("tip-p95", { p95: quantityText(formatMs(latencyMsP95, locale)) }),
      ];
  return (
    <div
      className={styles.anchor}
      style={{ left: pointed.x, top: pointed.y }}
      aria-hidden="true"
      data-testid="graph-tip"
    >
      {/* Names stand below what they name: above it none is covered that is meant. */}
      <div
        className={styles.tip}
        data-side={pointed.x > 420 ? "left" : "right"}
        data-place={pointed.y > roomAbovePx ? "above" : "below"}
      >
        <b>
          <HealthMark health={told.health} silent />
          {told.name}
        </b>
        <span>{requestRate > 0 ? numbers.join(" · ") : t("tip-idle")}</span>
        {told.badges.map((badge) => (
          <span key={badge} data-badge={badge}>
            {t(`badge-says-${badge}`)}
          </span>
        ))}
      </div>
    </div>
  );
}

function tellOf(
  graph: Pick<Graph, "nodes" | "edges">,
  id: string,
  nameOf: (id: string) => string,
): { name: string; health: Health; signals: Signals; bytes: Flow | undefined; badges: Badge[] } | null {
  const edge = graph.edges.find((one) => one.id === id);
  if (edge)
    return {
      ...edge,
      bytes: edge.bytesPerSecond,
      name: `${nameOf(edge.source)} → ${nameOf(edge.target)}`,
      badges: edge.faults?.length ? ["fault"] : [],
    };
  const subject = subjectOf(graph, id);
  if (!subject) return null;
  const [first] = subject.nodes;
  return {
    name: subject.nodes.length === 1 && first ? nameOf(first.id) : subject.name,
    health: worstHealth(subject.nodes.map(({ health }) => health)),
    signals: sumSignals(subject.nodes.map(({ signals }) => signals)),
    bytes: connectionsOnly(subject.callers),
    badges: [...new Set(subject.nodes.flatMap(({ badges }) => badges))],
  };
}
