"use client";
import { useTranslations } from "use-intl";
import type { PushStatus, Routing, ServiceMetrics } from "../../server/contract/index.ts";
import type { Live } from "../lib/live.ts";
import { usePush } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { Unreadable } from "../list/live-content.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import { ChangeCard, type ChangeView } from "./change-card.tsx";
import type { ObservedShares } from "./observed-shares.ts";
import { PushCard } from "./push-card.tsx";
import { RuleCard } from "./rule-card.tsx";
import { shownRules, splitOf } from "./rule-parts.ts";
import styles from "./traffic-tab.module.css";
import { useDrafts } from "./use-drafts.ts";
import { useObservedShares } from "./use-observed-shares.ts";
import { useShift } from "./use-shift.ts";

export interface TrafficTabProps {
  service: { namespace: string; name: string };
  routing: Live<Routing>;
  metrics: ServiceMetrics | undefined;
}

/** The hand on the slider: rules on the left, what a change would do and did on the right. */
export function TrafficTab({ service, routing, metrics }: TrafficTabProps) {
  const t = useTranslations("traffic");
  const drafts = useDrafts(routing.data);
  const url = useUrlState();
  const view: ChangeView = url.get("diff") === "envoy" ? "envoy" : "yaml";
  const shift = useShift(service, routing.data, drafts, view === "envoy");
  const push = usePush(shift.written?.revision ?? "latest", null, shift.written !== null).data;
  const changedAt = push && push.revision === shift.written?.revision ? push.committedAt : null;
  const observed: ObservedShares = useObservedShares(service, changedAt) ?? {
    shares: metrics?.observedShares ?? {},
    of: "window",
  };
  if (!routing.data && routing.error) return <Unreadable title={t("unreadable")} live={routing} />;
  if (!routing.data) return <TrafficSkeleton />;
  const data = routing.data;
  const canShift = shownRules(data).some((rule) => splitOf(rule, data).parts.length > 1);
  return (
    <div className={styles.grid}>
      <div className={styles.column}>
        {shownRules(data).map((rule) => (
          <RuleCard
            key={rule.index}
            service={service}
            rule={rule}
            routing={data}
            drafts={drafts}
            metrics={metrics}
            observed={observed}
          />
        ))}
      </div>
      <div className={styles.column}>
        {(canShift || shift.written !== null) && (
          <ChangeCard
            shift={shift}
            routing={data}
            requestRate={metrics?.totals.all?.requestRate ?? 0}
            refusals={changedAt === null ? [] : refusalsOf(push)}
            view={view}
            onView={(next) => url.set({ diff: next === "yaml" ? null : next })}
          />
        )}
        <PushCard
          revision={shift.written?.revision ?? "latest"}
          own={shift.written !== null && shift.written.by === undefined}
        />
      </div>
    </div>
  );
}

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
