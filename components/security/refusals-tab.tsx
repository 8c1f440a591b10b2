"use client";
import { useTranslations } from "use-intl";
import type { PolicyReport, RefusalReport } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState, Notice } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { PolicyTable } from "./policy-table.tsx";
import { RefusalPanel } from "./refusal-panel.tsx";
import styles from "./security.module.css";
import { useRefusals } from "./security-queries.ts";

export interface RefusalsTabProps {
  range: TimeRange;
  initial: Settled<RefusalReport> | undefined;
  initialPolicies: Settled<PolicyReport> | undefined;
}

/** Who was refused, by which rule; below it, every policy and what it does. */
export function RefusalsTab({ range, initial, initialPolicies }: RefusalsTabProps) {
  const t = useTranslations("security");
  const live = useRefusals(range, initial);
  return (
    <div className={styles.stack}>
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={220} />}>
        {({ groups, cut }) => (
          <>
            {cut && <Notice tone="warn">{t("refusals-cut")}</Notice>}
            {groups.length === 0 && (
              <Panel flush data-testid="no-refusals">
                <EmptyState title={t("no-refusals")}>{t("no-refusals-text")}</EmptyState>
              </Panel>
            )}
            {groups.map((group) => (
              <RefusalPanel key={`${group.details} ${JSON.stringify(group.by)}`} group={group} range={range} />
            ))}
            <PolicyTable range={range} initial={initialPolicies} />
          </>
        )}
      </LiveContent>
    </div>
  );
}
