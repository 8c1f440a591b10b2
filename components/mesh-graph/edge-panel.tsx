"use client";
import { Button } from "@mantine/core";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Graph, GraphEdge } from "../../server/contract/index.ts";
import { ConnectionKpis } from "../health/connection-kpis.tsx";
import { LatencyP95, SignalKpis } from "../health/signals.tsx";
import { injectFaultHref, logsOfHref, serviceHref } from "../lib/links.ts";
import { IfMay } from "../lib/session.tsx";
import { ExemplarSection } from "../trace/exemplar-list.tsx";
import { TracesOf } from "../trace/traces-of.tsx";
import { formatShare, quantityText } from "../ui/format.ts";
import { Kpi, KpiRow } from "../ui/kpi.tsx";
import { Link } from "../ui/link.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { SideSection } from "../ui/side-sheet.tsx";
import { useEarlierSignals } from "./earlier.ts";
import { FaultsSection } from "./faults-section.tsx";
import { grpcName, isKnownFlag } from "./flag-words.ts";
import { mtlsOf, useNodeNames } from "./graph-text.ts";
import styles from "./panel.module.css";
import { PanelHeader } from "./panel-header.tsx";
import { RecentLine } from "./recent-line.tsx";
import { subjectOf } from "./subject.ts";
import type { TopologyState } from "./use-topology-state.ts";

/** One call: what both sides saw of it, and how it was answered. */
export function EdgePanel({ graph, edge, state }: { graph: Graph; edge: GraphEdge; state: TopologyState }) {
  const t = useTranslations("panel");
  const locale = useLocale();
  const nameOf = useNodeNames(graph);
  const service = edge.to ?? subjectOf(graph, edge.target)?.service ?? null;
  const { signals } = edge;
  const before = useEarlierSignals(edge.id);
  // Who is called tells of it; where that is nothing with a proxy, who calls.
  const [source, target] = [edge.source, edge.target].map((id) => graph.nodes.find((node) => node.id === id));
  const traced = target?.kind === "workload" ? target : source;
  return (
    <>
      <PanelHeader
        health={edge.health}
        title={`${nameOf(edge.source)} → ${nameOf(edge.target)}`}
        onClose={() => state.set({ select: null })}
      />
      <SideSection>
        <KpiRow>
          {edge.bytesPerSecond ? (
            <ConnectionKpis signals={signals} bytes={edge.bytesPerSecond} />
          ) : (
            <SignalKpis signals={signals} before={before} t={t} />
          )}
        </KpiRow>
        {edge.messagesPerSecond && (
          <div className={styles.below} data-testid="edge-messages">
            <KpiRow>
              <Kpi label={t("messages-sent")}>
                <NumberWithUnit value={edge.messagesPerSecond.sent} kind="rps" bare />
              </Kpi>
              <Kpi label={t("messages-received")}>
                <NumberWithUnit value={edge.messagesPerSecond.received} kind="rps" bare />
              </Kpi>
            </KpiRow>
          </div>
        )}
        <RecentLine recent={edge.recent} />
        <p className={`muted mono ${styles.below}`}>
          {edge.service} · {edge.protocol}
        </p>
        <p className={`muted ${styles.below}`} data-testid="edge-mtls">
          {t(`mtls-${mtlsOf(edge)}`, { share: quantityText(formatShare(edge.mtls, locale)) })}
        </p>
      </SideSection>
      {state.at === null && <FaultsSection ids={faultsOn(graph, edge)} />}
      <SideSection>
        <div className={styles.splits} style={{ gridTemplateColumns: "1fr auto" }}>
          <span>{t("edge-source")}</span>
          <Seen edge={edge} by="source" graph={graph} />
          <span>{t("edge-destination")}</span>
          <Seen edge={edge} by="destination" graph={graph} />
        </div>
      </SideSection>
      {/* A connection has no status. */}
      {edge.protocol !== "tcp" && (
        <Rates
          title={t("codes")}
          rates={edge.codes}
          total={signals.requestRate}
          name={(code) => (code === "0" ? t("code-none") : code)}
          tone={(code) => (code === "0" || code.startsWith("5") ? "bad" : code.startsWith("4") ? "warn" : "ok")}
        />
      )}
      {edge.grpcStatuses && (
        <Rates
          title={t("grpc")}
          rates={edge.grpcStatuses}
          total={signals.requestRate}
          name={(code) => grpcName(code)}
          tone={(code) => (code === "0" ? "ok" : "bad")}
        />
      )}
      {edge.abandonedRate !== undefined && edge.abandonedRate > 0 && (
        <SideSection>
          <p className="muted">
            {t("abandoned")}{" "}
            <NumberWithUnit value={edge.abandonedRate} kind={edge.protocol === "tcp" ? "per-second" : "rps"} />
          </p>
        </SideSection>
      )}
      <Rates
        title={t("flags")}
        rates={edge.flags}
        total={signals.requestRate}
        name={(flag) => <Flag flag={flag} />}
        tone={() => "bad"}
        ofConnections={edge.protocol === "tcp"}
      >
        <FlagAdvice rates={edge.flags} />
      </Rates>
      {edge.protocol !== "tcp" && state.at === null && (
        <ExemplarSection
          query={{
            source: peerOf(graph, edge.source),
            destination: peerOf(graph, edge.target),
            service: edge.service,
            window: exemplarWindow,
          }}
        />
      )}
      {service && (
        <SideSection>
          <div className={styles.actions}>
            {edge.protocol !== "tcp" && (
              <IfMay as="operator" namespace={service.namespace}>
                <Button
                  component={Link}
                  href={injectFaultHref(service, callerOf(graph, edge))}
                  variant="default"
                  data-testid="panel-fault"
                >
                  {t("inject")}
                </Button>
              </IfMay>
            )}
            <Button component={Link} href={serviceHref(service)} variant="default">
              {t("open")}
            </Button>
            <Button
              component={Link}
              href={logsOfHref({
                source: peerOf(graph, edge.source),
                destination: peerOf(graph, edge.target),
                service: edge.service,
              })}
              variant="default"
              data-testid="panel-logs"
            >
              {t("logs")}
            </Button>
            {traced && edge.protocol !== "tcp" && <TracesOf app={traced.app} namespace={traced.namespace} />}
          </div>
        </SideSection>
      )}
    </>
  );
}

/** Seconds: a minute has few that are traced. */
const exemplarWindow = "900";

/** For a fault on this edge alone: a workload with a sidecar can be told by its labels; a gateway's routes are not the mesh's. */
function callerOf({ nodes }: Graph, edge: GraphEdge): string | undefined {
  const source = nodes.find(({ id }) => id === edge.source);
  if (source?.kind !== "workload") return undefined;
  return [source.namespace, source.app, source.version].filter(Boolean).join("/");
}

/** A node as the logs are searched by it; of one that stands for nobody in particular nothing. */
function peerOf({ nodes }: Graph, id: string): string | undefined {
  const node = nodes.find((one) => one.id === id);
  if (node?.kind !== "workload" && node?.kind !== "gateway") return undefined;
  return [node.namespace, node.app, node.version].filter(Boolean).join("/");
}

/** On this call alone, and on all that go where it goes. */
const faultsOn = ({ nodes }: Graph, edge: GraphEdge): string[] => [
  ...(edge.faults ?? []),
  ...(nodes.find(({ id }) => id === edge.target)?.faults ?? []),
];

/** What one side told. Nothing: it has no proxy that could, or what was sent never got there. */
function Seen({ graph, edge, by }: { graph: Graph; edge: GraphEdge; by: "source" | "destination" }) {
  const t = useTranslations("panel");
  const signals = edge.reported[by];
  const node = graph.nodes.find(({ id }) => id === edge[by === "source" ? "source" : "target"]);
  if (!signals) {
    const silent = by === "source" || node?.kind === "external" || node?.kind === "source" || edge.protocol === "tcp";
    return <span>{silent ? t("edge-untold") : t("edge-lost")}</span>;
  }
  if (edge.protocol === "tcp") return <span>{t("connections-rate", { count: signals.requestRate.toFixed(1) })}</span>;
  return (
    <span>
      <NumberWithUnit value={signals.requestRate} kind="rps" /> · p95 <LatencyP95 signals={signals} />
    </span>
  );
}

/** Envoy's short word, and what it means. */
function Flag({ flag }: { flag: string }) {
  const t = useTranslations("flags");
  return (
    <>
      {flag}
      {isKnownFlag(flag) && <span className={styles.meaning}>{t(`means-${flag}`)}</span>}
    </>
  );
}

/** What to do about each, the most frequent first. */
function FlagAdvice({ rates }: { rates: Record<string, number> }) {
  const t = useTranslations("flags");
  const flags = Object.entries(rates)
    .filter(([, rate]) => rate > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([flag]) => flag)
    .filter(isKnownFlag);
  if (flags.length === 0) return null;
  return (
    <ul className={styles.advice} data-testid="flag-advice">
      {flags.map((flag) => (
        <li key={flag}>
          <b className="mono">{flag}</b> {t(`advice-${flag}`)}
        </li>
      ))}
    </ul>
  );
}

interface RatesProps {
  title: string;
  rates: Record<string, number>;
  total: number;
  name: (key: string) => ReactNode;
  tone: (key: string) => "ok" | "warn" | "bad";
  /** What is counted are no requests. */
  ofConnections?: boolean;
  /** Below the rows. */
  children?: ReactNode;
}

function Rates({ title, rates, total, name, tone, ofConnections = false, children }: RatesProps) {
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
              name={name(key)}
              share={total > 0 ? Math.min(1, rate / total) : 0}
              rate={rate}
              tone={tone(key)}
              ofConnections={ofConnections}
            />
          ))}
      </div>
      {children}
    </SideSection>
  );
}

const Row = ({
  name,
  share,
  rate,
  tone,
  ofConnections,
}: {
  name: ReactNode;
  share: number;
  rate: number;
  tone: "ok" | "warn" | "bad";
  ofConnections: boolean;
}) => (
  <>
    <span className="mono">{name}</span>
    <i data-tone={tone} style={{ width: `${Math.max(1, share * 100)}%` }} />
    <NumberWithUnit value={rate} kind={ofConnections ? "per-second" : "rps"} />
  </>
);
