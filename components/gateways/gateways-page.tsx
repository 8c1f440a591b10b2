"use client";
import { Button } from "@mantine/core";
import { use } from "react";
import { useTranslations } from "use-intl";
import { type GatewayList, type GatewayView, type Graph, gatewayTrouble } from "../../server/contract/index.ts";
import { SignalKpis } from "../health/signals.tsx";
import type { Settled } from "../lib/api.ts";
import { newObjectHref, nodeOnGraphHref, objectHref } from "../lib/links.ts";
import { useGateways, useGraph } from "../lib/queries.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { FilterInput } from "../list/filter-input.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { useFilter } from "../list/use-filter.ts";
import { earlierRange } from "../metrics/earlier-range.ts";
import { HealthMark } from "../ui/health-mark.tsx";
import { KpiRow } from "../ui/kpi.tsx";
import { Link } from "../ui/link.tsx";
import { ObjectLink } from "../ui/object-link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { lastOf, UnrecordedOf } from "../ui/unrecorded.tsx";
import { besides, enteringSignals, gatewayNodes } from "./gateway-traffic.ts";
import styles from "./gateways.module.css";
import { RouteTable } from "./route-table.tsx";
import { ServerTable } from "./server-table.tsx";

/** Where the mesh is entered: listeners, hosts, certificates, routes, and what comes by each. */
export function GatewaysPage({ initial }: { initial: Promise<Settled<GatewayList>> }) {
  const t = useTranslations("gateways");
  const { range, set, comparison, compare } = useUrlRange();
  const live = useGateways(use(initial));
  const graph = useGraph(range).data;
  const other = earlierRange(range, comparison, graph?.at ?? 0);
  const before = useGraph(other ?? range, undefined, other !== null).data;
  const matches = useFilter();
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <FilterInput label={t("filter")} data-testid="gateway-filter" />
        <TimeRangePicker value={range} onChange={set} compare={compare} />
      </PageHeader>
      {graph && <UnrecordedOf {...lastOf(range.windowSec, { at: graph.at, gaps: graph.timeline.gaps })} />}
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={420} />}>
        {({ gateways }) => {
          const now = graph?.at ?? 0;
          const shown = gateways
            .filter((gateway) => matches(searchedOf(gateway)))
            .toSorted((a, b) => rank[gatewayTrouble(b, now).tone] - rank[gatewayTrouble(a, now).tone]);
          if (gateways.length === 0) return <None />;
          if (shown.length === 0) return <NoMatch title={t("no-match")} filters={["filter"]} />;
          return (
            <div className={styles.stack}>
              {shown.map((gateway) => (
                <GatewayPanel
                  key={`${gateway.namespace}/${gateway.name}`}
                  gateway={gateway}
                  gateways={gateways}
                  graph={graph}
                  before={other ? before : undefined}
                />
              ))}
            </div>
          );
        }}
      </LiveContent>
    </Page>
  );
}

const rank = { plain: 0, warn: 1, bad: 2 };

const searchedOf = ({ namespace, name, servers, routes }: GatewayView): string =>
  [
    `${namespace}/${name}`,
    ...servers.flatMap(({ hosts }) => hosts),
    ...routes.flatMap(({ hosts, rule }) => [...hosts, ...rule.destinations.map(({ host }) => host)]),
  ].join(" ");

function None() {
  const t = useTranslations("gateways");
  return (
    <Panel flush>
      <EmptyState
        title={t("empty")}
        action={
          <Button component={Link} href={newObjectHref}>
            {t("empty-action")}
          </Button>
        }
      >
        {t("empty-text")}
      </EmptyState>
    </Panel>
  );
}

interface GatewayPanelProps {
  gateway: GatewayView;
  /** All there are. */
  gateways: readonly GatewayView[];
  graph: Graph | undefined;
  /** In the time that it is compared with. */
  before: Graph | undefined;
}

function GatewayPanel({ gateway, gateways, graph, before }: GatewayPanelProps) {
  const t = useTranslations("gateways");
  const figures = useTranslations("panel");
  const { namespace, name, proxies } = gateway;
  const nodes = graph ? gatewayNodes(gateway, graph) : [];
  const signals = graph && enteringSignals(nodes);
  const others = besides(gateway, gateways);
  const now = graph?.at ?? 0;
  const { tone, says } = now === 0 ? { tone: "plain" as const, says: [] } : gatewayTrouble(gateway, now);
  return (
    <Panel
      flush
      data-testid={`gateway-${name}`}
      title={
        <span className={styles.title}>
          <HealthMark health={tone === "bad" ? "failing" : tone === "warn" ? "degraded" : "healthy"} silent />
          <ObjectLink className="link" href={objectHref("Gateway", namespace, name)}>
            {name}
          </ObjectLink>
        </span>
      }
      hint={
        <>
          <span className="mono">{namespace}</span> ·{" "}
          {proxies === null
            ? t("proxies-unknown")
            : t("proxies", { names: proxies.map(({ app }) => app).join(", ") || "–" })}
        </>
      }
      actions={nodes.map((node) => (
        <Link key={node.id} className="link" href={nodeOnGraphHref(node.id)}>
          {t("on-graph")}
        </Link>
      ))}
    >
      {says.map((one) => (
        <Notice key={one} tone={one === "nobody-serves" || one === "certificate-bad" ? "bad" : "warn"}>
          {t(`trouble-${one}`)}
        </Notice>
      ))}
      <div className={styles.kpis}>
        <KpiRow>
          {signals && (
            <SignalKpis
              signals={signals}
              before={before && enteringSignals(gatewayNodes(gateway, before))}
              t={figures}
            />
          )}
        </KpiRow>
        {signals && others.length > 0 && (
          <p className="muted" data-testid="shared-traffic">
            {t("shared-traffic", { names: others.map((other) => other.name).join(", ") })}
          </p>
        )}
      </div>
      <h3 className={styles.heading}>{t("listeners")}</h3>
      <ServerTable gateway={gateway} now={now} />
      <h3 className={styles.heading}>{t("routes")}</h3>
      <RouteTable gateway={gateway} gateways={gateways} graph={graph} before={before} nodes={nodes} />
    </Panel>
  );
}
