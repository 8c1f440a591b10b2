"use client";
import { Button } from "@mantine/core";
import Link from "next/link";
import { useLocale, useTranslations } from "use-intl";
import type { Graph, GraphEdge, Signals } from "../../server/contract/index.ts";
import { injectFaultHref, serviceHref } from "../lib/links.ts";
import { formatShare, quantityText } from "../ui/format.ts";
import { Kpi, KpiRow } from "../ui/kpi.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SideSection } from "../ui/side-sheet.tsx";
import { mtlsOf, useNodeNames } from "./graph-text.ts";
import styles from "./panel.module.css";
import { PanelHeader } from "./panel-header.tsx";
import { subjectOf } from "./subject.ts";
import type { TopologyState } from "./use-topology-state.ts";

/** One call: what both sides saw of it, and how it was answered. */
export function EdgePanel({ graph, edge, state }: { graph: Graph; edge: GraphEdge; state: TopologyState }) {
  const t = useTranslations("panel");
  const locale = useLocale();
  const nameOf = useNodeNames(graph);
  const service = edge.to ?? subjectOf(graph, edge.target)?.service ?? null;
  const { signals } = edge;
  return (
    <>
      <PanelHeader
        health={edge.health}
        title={`${nameOf(edge.source)} → ${nameOf(edge.target)}`}
        onClose={() => state.set({ select: null })}
      />
      <SideSection>
        <KpiRow>
          <Kpi label={t("rps")}>
            <NumberWithUnit value={signals.requestRate} kind="rps" bare />
          </Kpi>
          <Kpi
            label={t("success")}
            tone={edge.health === "failing" ? "bad" : edge.health === "degraded" ? "warn" : "plain"}
          >
            <NumberWithUnit value={signals.requestRate > 0 ? 1 - signals.errorShare : null} kind="share" />
          </Kpi>
          <Kpi label={t("p50")}>
            <NumberWithUnit value={signals.latencyMsP50} kind="ms" />
          </Kpi>
          <Kpi label={t("p99")}>
            <NumberWithUnit value={signals.latencyMsP99} kind="ms" />
          </Kpi>
        </KpiRow>
        <p className={`muted mono ${styles.below}`}>
          {edge.service} · {edge.protocol}
        </p>
        <p className={`muted ${styles.below}`} data-testid="edge-mtls">
          {t(`mtls-${mtlsOf(edge)}`, { share: quantityText(formatShare(edge.mtls, locale)) })}
        </p>
      </SideSection>
      <SideSection>
        <div className={styles.splits} style={{ gridTemplateColumns: "1fr auto" }}>
          <span>{t("edge-source")}</span>
          <Seen signals={edge.reported.source} />
          <span>{t("edge-destination")}</span>
          <Seen signals={edge.reported.destination} />
        </div>
      </SideSection>
      <Rates
        title={t("codes")}
        rates={edge.codes}
        total={signals.requestRate}
        tone={(code) => (code === "0" || code.startsWith("5") ? "bad" : code.startsWith("4") ? "warn" : "ok")}
      />
      <Rates title={t("flags")} rates={edge.flags} total={signals.requestRate} tone={() => "bad"} />
      {service && (
        <SideSection>
          <div className={styles.actions}>
            <Button
              component={Link}
              href={injectFaultHref(service, callerOf(graph, edge))}
              variant="default"
              data-testid="panel-fault"
            >
              {t("inject")}
            </Button>
            <Button component={Link} href={serviceHref(service)} variant="default">
              {t("open")}
            </Button>
          </div>
        </SideSection>
      )}
    </>
  );
}

/** For a fault on this edge alone: a workload with a sidecar can be told by its labels; a gateway's routes are not the mesh's. */
function callerOf({ nodes }: Graph, edge: GraphEdge): string | undefined {
  const source = nodes.find(({ id }) => id === edge.source);
  if (source?.kind !== "workload") return undefined;
  return [source.namespace, source.app, source.version].filter(Boolean).join("/");
}

function Seen({ signals }: { signals: Signals | null }) {
  const t = useTranslations("panel");
  if (!signals) return <span>{t("edge-lost")}</span>;
  return (
    <span>
      <NumberWithUnit value={signals.requestRate} kind="rps" /> · p95{" "}
      <NumberWithUnit value={signals.latencyMsP95} kind="ms" />
    </span>
  );
}

interface RatesProps {
  title: string;
  rates: Record<string, number>;
  total: number;
  tone: (key: string) => "ok" | "warn" | "bad";
}

function Rates({ title, rates, total, tone }: RatesProps) {
  const t = useTranslations("panel");
  const rows = Object.entries(rates).filter(([, rate]) => rate > 0);
  if (rows.length === 0) return null;
  return (
    <SideSection>
      <h2 className={styles.title}>{title}</h2>
      <div className={styles.codes}>
        {rows
          .toSorted(([, a], [, b]) => b - a)
          .map(([key, rate]) => (
            <Row
              key={key}
              name={key === "0" ? t("code-none") : key}
              share={total > 0 ? Math.min(1, rate / total) : 0}
              rate={rate}
              tone={tone(key)}
            />
          ))}
      </div>
    </SideSection>
  );
}

const Row = ({
  name,
  share,
  rate,
  tone,
}: {
  name: string;
  share: number;
  rate: number;
  tone: "ok" | "warn" | "bad";
}) => (
  <>
    <span className="mono">{name}</span>
    <i data-tone={tone} style={{ width: `${Math.max(1, share * 100)}%` }} />
    <NumberWithUnit value={rate} kind="rps" />
  </>
);
