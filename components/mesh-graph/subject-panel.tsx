"use client";
import { Button } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Badge, Graph, GraphNode, ServiceMetrics } from "../../server/contract/index.ts";
import { ConnectionKpis } from "../health/connection-kpis.tsx";
import { SignalKpis } from "../health/signals.tsx";
import { injectFaultHref, logsOfHref, objectHref, serviceHref, workloadHref } from "../lib/links.ts";
import { useSaturation, useServiceMetrics } from "../lib/queries.ts";
import { IfMay } from "../lib/session.tsx";
import { fullestOf } from "../metrics/saturation-of.ts";
import { SaturationValue } from "../metrics/saturation-value.tsx";
import { MissingProxyNotice } from "../service/missing-proxy-notice.tsx";
import { ExemplarSection } from "../trace/exemplar-list.tsx";
import { TracesOf } from "../trace/traces-of.tsx";
import { Kpi, KpiRow } from "../ui/kpi.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { SideSection } from "../ui/side-sheet.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { VersionChip } from "../ui/version-chip.tsx";
import { useEarlier } from "./earlier.ts";
import { FaultsSection } from "./faults-section.tsx";
import { connectionsOnly } from "./flow.ts";
import { goneBefore } from "./gone-proxies.ts";
import { useNodeNames } from "./graph-text.ts";
import { nodesBehind } from "./graph-view-kinds.ts";
import { LatencyChart } from "./latency-chart.tsx";
import styles from "./panel.module.css";
import { PanelHeader } from "./panel-header.tsx";
import { PeerTable } from "./peer-table.tsx";
import { RecentLine } from "./recent-line.tsx";
import { SplitSection } from "./split-section.tsx";
import { type Subject, sumSignals } from "./subject.ts";
import { useGoneProxies } from "./use-gone-proxies.ts";
import type { TopologyState } from "./use-topology-state.ts";

export interface SubjectPanelProps {
  /** As it is looked at. */
  graph: Graph;
  /** As it comes, with every version. */
  whole: Graph;
  subject: Subject;
  state: TopologyState;
}

export function SubjectPanel({ graph, whole, subject, state }: SubjectPanelProps) {
  const t = useTranslations("panel");
  const { service, version, isWorkload } = subject;
  const nameOf = useNodeNames(graph);
  const query = {
    namespace: service?.namespace ?? "",
    name: service?.hostname ?? "",
    windowSec: state.windowSec,
    at: state.at,
  };
  const read = useServiceMetrics(query, undefined, service !== null);
  const metrics = read.data;
  // What comes has its place from the beginning: nothing below it jumps.
  const waits = service !== null && read.error === null;
  const behind = nodesBehind(whole, state.kind, subject.nodes);
  const fullest = fullestOf(useSaturation(state.at).data, behind);
  const mine = metrics && service ? metrics : undefined;
  const isSplit =
    whole.nodes.filter(({ app, namespace }) => app === subject.app && namespace === subject.namespace).length > 1;
  // A service counts all that answers for it, and of a version all workloads: one by its own name has only its own.
  const counted = isWorkload ? undefined : mine?.totals[version ?? "all"];
  const signals = counted ?? sumSignals(subject.nodes.map((node) => node.signals));
  const bytes = connectionsOnly(subject.callers);
  const gone = goneBefore(behind, useGoneProxies(state.at));
  const earlier = useEarlier();
  const then = earlier && subject.nodes.flatMap(({ id }) => earlier.get(id) ?? []);
  const before = then && (then.length > 0 ? sumSignals(then) : null);
  return (
    <>
      <PanelHeader
        health={subject.health}
        title={service ? subject.name : nameOf(subject.nodes[0]?.id ?? "")}
        hint={
          version ? (
            <VersionChip version={version} />
          ) : (
            service && <span className="muted mono">{subject.namespace}</span>
          )
        }
        action={
          <>
            {state.select !== null && state.focus?.id !== state.select && (
              <Button
                variant="default"
                size="compact-sm"
                onClick={() => state.set({ focus: state.select, hops: null })}
                data-testid="panel-focus"
              >
                {t("focus")}
              </Button>
            )}
            {service && (
              <Button
                component={Link}
                href={serviceHref(service)}
                variant="default"
                size="compact-sm"
                data-testid="panel-open"
              >
                {t("open")}
              </Button>
            )}
          </>
        }
        onClose={() => state.set({ select: null })}
      />
      {gone.map((proxy) => (
        <MissingProxyNotice key={proxy.id} proxy={proxy} />
      ))}
      <SideSection>
        <KpiRow>
          {bytes ? (
            <ConnectionKpis signals={signals} bytes={bytes} />
          ) : (
            <SignalKpis signals={signals} before={before} t={t} />
          )}
          {service && (
            <Kpi label={t("saturation")}>
              <SaturationValue of={fullest} />
            </Kpi>
          )}
        </KpiRow>
        <RecentLine recent={subject.nodes.find(({ recent }) => recent)?.recent} />
      </SideSection>
      {subject.nodes.map(
        ({ id, namespace, group }) => group && <Members key={id} namespace={namespace} group={group} />,
      )}
      {state.at === null && <FaultsSection ids={faultsOn(subject)} />}
      {subject.nodes.length > 0 && <ConfigSection badges={subject.nodes.flatMap(({ badges }) => badges)} />}
      {/* What was configured at a moment of the past is not kept beside its traffic. */}
      {service && state.at === null && (
        <SplitSection
          service={{ namespace: service.namespace, name: service.hostname }}
          metrics={mine}
          expected={isSplit}
        />
      )}
      {/* How long connections are open is nobody's slowness. */}
      {!bytes &&
        (mine ? (
          <LatencySection metrics={mine} />
        ) : (
          waits && (
            <SideSection>
              <SkeletonBlock height={154} />
            </SideSection>
          )
        ))}
      <PeerTable
        title={t("callers")}
        none={t("no-callers")}
        graph={graph}
        edges={subject.callers}
        end="source"
        state={state}
      />
      <PeerTable
        title={t("calls")}
        none={t("no-calls")}
        graph={graph}
        edges={subject.calls}
        end="target"
        state={state}
      />
      {service && !bytes && state.at === null && (
        <ExemplarSection query={{ ...filterOf(subject), direction: "outbound", window: "900" }} />
      )}
      {service && (
        <SideSection>
          <div className={styles.actions}>
            {isSplit && (
              <Button
                component={Link}
                href={serviceHref(service, "traffic")}
                variant="filled"
                data-testid="panel-shift"
              >
                {t("shift")}
              </Button>
            )}
            {!bytes && (
              <IfMay as="operator" namespace={service.namespace}>
                <Button component={Link} href={injectFaultHref(service)} variant="default" data-testid="panel-fault">
                  {t("inject")}
                </Button>
              </IfMay>
            )}
            <Button component={Link} href={logsOfHref(filterOf(subject))} variant="default" data-testid="panel-logs">
              {t("logs")}
            </Button>
            {!bytes && <TracesOf app={subject.app} namespace={subject.namespace} />}
          </div>
        </SideSection>
      )}
    </>
  );
}

/** Requests to a service, or to one version of it. */
const filterOf = ({ service, version, namespace, app }: Subject) => ({
  service: service?.hostname,
  destination: version ? `${namespace}/${app}/${version}` : undefined,
});

/** Those that hit all who call it, and those on single calls to it. */
const faultsOn = ({ nodes, callers }: Subject): string[] => [
  ...new Set([...nodes, ...callers].flatMap(({ faults = [] }) => faults)),
];

/** Whose workloads it stands for: each has figures of its own on its page. */
function Members({
  namespace,
  group: { name, members },
}: {
  namespace: string;
  group: NonNullable<GraphNode["group"]>;
}) {
  const t = useTranslations("panel");
  return (
    <SideSection>
      <h2 className={styles.title}>{t("members")}</h2>
      <div className={styles.actions} data-testid="panel-members">
        <ObjectLink className="link" href={objectHref("WorkloadGroup", namespace, name)}>
          {name}
        </ObjectLink>
        {members.map((member) => (
          <Link key={member} className="link" href={workloadHref(namespace, member)}>
            {member}
          </Link>
        ))}
      </div>
    </SideSection>
  );
}

/** Where config acts on it, in words: the same as the badges on the graph. */
function ConfigSection({ badges }: { badges: readonly Badge[] }) {
  const t = useTranslations("topology");
  // Faults and proxies that are gone are told of above.
  const said = [...new Set(badges)].filter(
    (badge) => badge !== "gateway" && badge !== "fault" && badge !== "proxy-gone",
  );
  if (said.length === 0) return null;
  return (
    <SideSection>
      <ul className={styles.badges} data-testid="panel-badges">
        {said.map((badge) => (
          <li key={badge} data-badge={badge}>
            {t(`badge-says-${badge}`)}
          </li>
        ))}
      </ul>
    </SideSection>
  );
}

function LatencySection({ metrics }: { metrics: ServiceMetrics }) {
  const t = useTranslations("panel");
  const versions = metrics.series.filter(({ version }) => version !== "all");
  const shown = versions.length > 0 ? versions : metrics.series;
  return (
    <SideSection>
      <h2 className={styles.title}>{t("latency")}</h2>
      <LatencyChart
        label={t("latency")}
        fromMs={metrics.fromMs}
        stepSec={metrics.stepSec}
        gaps={metrics.gaps}
        series={shown.map(({ version, latencyMsP95 }) => ({ version, values: latencyMsP95 }))}
      />
    </SideSection>
  );
}
