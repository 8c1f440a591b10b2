"use client";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import type { Entrance, PushStatus, Routing, ServiceListItem, ServiceMetrics } from "../../server/contract/index.ts";
import { CanaryCard } from "../canary/canary-card.tsx";
import type { ChangeView } from "../config/change-views.tsx";
import type { Settled } from "../lib/api.ts";
import { mayLeave } from "../lib/leave-guard.ts";
import type { Live } from "../lib/live.ts";
import { usePush } from "../lib/queries.ts";
import { useMay } from "../lib/session.tsx";
import { useUrlState } from "../lib/url-state.ts";
import { Unreadable } from "../list/live-content.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import { ChangeCard } from "./change-card.tsx";
import { EditBar } from "./edit-bar.tsx";
import { EditorSkeleton } from "./editor/editor-skeleton.tsx";
import type { ServiceObjects } from "./editor/use-service-objects.ts";
import type { ObservedShares } from "./observed-shares.ts";
import { PushCard } from "./push-card.tsx";
import { RuleCard } from "./rule-card.tsx";
import { entersByGatewaysOnly, isMeasured, shownRules, splitOf } from "./rule-parts.ts";
import styles from "./traffic-tab.module.css";
import { useDrafts } from "./use-drafts.ts";
import { useObservedShares } from "./use-observed-shares.ts";
import { useShift, type VirtualServiceName } from "./use-shift.ts";

export interface TrafficTabProps {
  service: { namespace: string; name: string };
  /** Its resource's name. */
  title: string;
  routing: Live<Routing>;
  metrics: ServiceMetrics | undefined;
  /** As the registry has it, and all others. */
  item: ServiceListItem | undefined;
  services: readonly ServiceListItem[];
  /** What its editor shows at first, where the address asks for that. */
  objects: Settled<ServiceObjects> | undefined;
}

/** Its own part of the page's script: who only looks needs none of it. The server renders it where an address asks for it. */
const TrafficEditor = dynamic(() => import("./editor/traffic-editor.tsx").then((module) => module.TrafficEditor), {
  loading: EditorSkeleton,
});

/**
 * The hand on the slider: rules on the left, what a change would do and did on the right. Where it is entered by a gateway, it is that
 * VirtualService's rules which share those requests, and they have a hand of their own.
 */
export function TrafficTab({ service, title, routing, metrics, item, services, objects }: TrafficTabProps) {
  const t = useTranslations("traffic");
  const url = useUrlState();
  const mayIn = useMay();
  const may = mayIn("operator", service.namespace);
  if (!routing.data && routing.error) return <Unreadable title={t("unreadable")} live={routing} />;
  if (!routing.data) return <TrafficSkeleton />;
  const { data } = routing;
  const named = { namespace: service.namespace, name: title };
  if (url.get("edit") !== null) {
    return (
      <TrafficEditor
        service={named}
        routing={data}
        item={item}
        services={services}
        objects={objects}
        onClose={() => mayLeave() && url.set({ edit: null })}
      />
    );
  }
  const { delegates = [] } = data;
  // One that is there for callers inside, too, is shown once.
  const entrances = data.entrances.filter((one) => !delegates.some((other) => isSame(one, other)));
  const only = entrances.length > 0 && metrics !== undefined && entersByGatewaysOnly(metrics);
  const mesh = (
    <Hand
      key="mesh"
      service={service}
      routing={data}
      // What comes by the gateway is not shared by these rules.
      metrics={only ? undefined : metrics}
      // Nor are they what its delegates share.
      silent={only || delegates.length > 0}
      {...(entrances.length > 0 && { title: t("inside"), note: only ? t("inside-none") : undefined })}
    />
  );
  const [first, ...others] = data.rules;
  const isWhole = others.length === 0 && first?.matches.length === 0;
  // All requests of callers inside are its one rule's.
  const lone = isWhole && first?.delegate && delegates[0]?.rules.length === 1 ? delegates[0] : undefined;
  const handed = delegates.map((delegate) => (
    <Hand
      key={`${delegate.namespace}/${delegate.name}`}
      service={service}
      routing={atEntrance(data, delegate)}
      metrics={only ? undefined : metrics}
      target={delegate}
      silent={!isWhole}
      title={t("delegate", { object: `${delegate.namespace}/${delegate.name}`, roots: rootsText(delegate) })}
      note={mayIn("operator", delegate.namespace) ? undefined : t("delegate-locked", { namespace: delegate.namespace })}
    />
  ));
  const doors = entrances.map((entrance) => (
    <Hand
      key={`${entrance.namespace}/${entrance.name}`}
      service={service}
      routing={atEntrance(data, entrance)}
      metrics={metrics}
      target={entrance}
      sole={only && entrances.length === 1}
      title={t("entrance", {
        hosts: entrance.hosts.join(", "),
        gateways: entrance.gateways.join(", "),
        object: `${entrance.namespace}/${entrance.name}`,
      })}
    />
  ));
  return (
    <div className={styles.hands}>
      <EditBar routing={data} may={may} onEdit={() => url.set({ edit: "rules" }, "push")} />
      {only ? [...doors, mesh, ...handed] : [mesh, ...handed, ...doors]}
      <CanaryCard service={named} routing={data} entrance={only ? entrances[0] : lone} />
    </div>
  );
}

interface HandProps {
  service: TrafficTabProps["service"];
  routing: Routing;
  metrics: ServiceMetrics | undefined;
  target?: Entrance;
  title?: string;
  note?: string | undefined;
  /** No request meets these rules. */
  silent?: boolean;
  /** Every request of the service meets these rules. */
  sole?: boolean;
}

/** The rules of one VirtualService. */
function Hand({ service, routing, metrics, target, title, note, silent = false, sole = false }: HandProps) {
  const drafts = useDrafts(routing);
  const url = useUrlState();
  const view: ChangeView = url.get("diff") === "envoy" ? "envoy" : "yaml";
  const shift = useShift(service, routing, drafts, view === "envoy", target);
  const push = usePush(shift.written?.revision ?? "latest", null, shift.written !== null).data;
  const changedAt = push && push.revision === shift.written?.revision ? push.committedAt : null;
  const seen = useObservedShares(service, changedAt);
  const observed: ObservedShares = seen ?? { shares: metrics?.observedShares ?? {}, of: "window" };
  const canShift = shownRules(routing).some((rule) => splitOf(rule, routing).parts.length > 1);
  return (
    <section aria-label={title} data-testid={target ? `entrance-${target.name}` : "inside"}>
      {title && <h2 className={styles.title}>{title}</h2>}
      {note && <p className={styles.note}>{note}</p>}
      <div className={styles.grid}>
        <div className={styles.column}>
          {shownRules(routing).map((rule) => (
            <RuleCard
              key={rule.index}
              service={service}
              rule={rule}
              routing={routing}
              drafts={drafts}
              metrics={metrics}
              observed={observed}
              measured={!silent && isMeasured(rule, routing, { sole })}
              delegated={(target?.roots?.length ?? 0) > 0}
            />
          ))}
        </div>
        <div className={styles.column}>
          {(canShift || shift.written !== null) && (
            <ChangeCard
              shift={shift}
              routing={routing}
              requestRate={metrics?.totals.all?.requestRate ?? 0}
              refusals={changedAt === null ? [] : refusalsOf(push)}
              view={view}
              onView={(next) => url.set({ diff: next === "yaml" ? null : next })}
            />
          )}
          {(!target || shift.written !== null) && (
            <PushCard
              revision={shift.written?.revision ?? "latest"}
              own={shift.written !== null && shift.written.by === undefined}
            />
          )}
        </div>
      </div>
    </section>
  );
}

const isSame = (a: VirtualServiceName, b: VirtualServiceName): boolean =>
  a.namespace === b.namespace && a.name === b.name;

const rootsText = ({ roots = [] }: Entrance): string =>
  roots.map(({ namespace, name }) => `${namespace}/${name}`).join(", ");

/** The same service, ruled by another VirtualService. */
const atEntrance = (routing: Routing, entrance: Entrance): Routing => ({
  ...routing,
  virtualService: entrance,
  rules: entrance.rules,
});

const refusalsOf = (push: PushStatus | null | undefined) =>
  push?.proxies.filter(({ state }) => state === "nacked").map(({ name, error }) => ({ name, error })) ?? [];

export function TrafficSkeleton() {
  return (
    <div className={styles.grid} aria-hidden>
      <div className={styles.column}>
        <Panel flush>
          <div style={{ height: 44 }} />
          <div style={{ padding: "18px 16px 12px" }}>
            <SkeletonBlock height={56} />
            <div style={{ height: 52 }} />
          </div>
          <TableSkeleton rows={3} columns={6} rowHeight={47} />
        </Panel>
      </div>
      <div className={styles.column}>
        <Panel flush>
          <div style={{ height: 92 }} />
        </Panel>
        <Panel flush>
          <div style={{ height: 200 }} />
        </Panel>
      </div>
    </div>
  );
}
