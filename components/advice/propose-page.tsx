"use client";
import { use } from "react";
import { useTranslations } from "use-intl";
import { PolicyAdvice, ScopeAdvice } from "../../server/contract/index.ts";
import { getJson, type Settled } from "../lib/api.ts";
import { mayLeave } from "../lib/leave-guard.ts";
import { workloadsHref } from "../lib/links.ts";
import { useLive } from "../lib/live.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Link } from "../ui/link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import styles from "./advice.module.css";
import { adviceAsked, adviceWindowSec } from "./advice-address.ts";
import { PolicyPanel } from "./policy-panel.tsx";
import { ScopePanel } from "./scope-panel.tsx";
import { TargetForm } from "./target-form.tsx";

const windows = [900, 3600, 6 * 3600, 86_400, 7 * 86_400];

export interface ProposePageProps {
  /** What the server has read for, of either: the API's query. */
  initialQuery: string | null;
  policies: Promise<Settled<PolicyAdvice>> | null;
  scope: Promise<Settled<ScopeAdvice>> | null;
}

/** From recorded traffic to policies: what is proposed, the calls behind it, what it would have refused, and the way into the mesh. */
export function ProposePage({ initialQuery, ...first }: ProposePageProps) {
  const t = useTranslations("advice");
  const url = useUrlState();
  const { range, set } = useUrlRange(adviceWindowSec);
  const [policies0, scope0] = [first.policies && use(first.policies), first.scope && use(first.scope)];
  const [namespace, workload] = [url.get("namespace"), url.get("workload")];
  const asked = adviceAsked(url.get);
  const query = new URLSearchParams(asked?.query).toString();
  const isFirst = query === initialQuery;
  const isScope = asked?.show === "scope";
  // Read once: a proposal that changes under somebody's hands can't be looked at.
  const policies = useLive({
    queryKey: ["advice-policy", query],
    read: (signal) => getJson(PolicyAdvice, `/api/advice/policy?${query}`, signal),
    everyMs: null,
    enabled: asked?.show === "policy",
    initial: (isFirst && policies0) || undefined,
  });
  const scope = useLive({
    queryKey: ["advice-scope", query],
    read: (signal) => getJson(ScopeAdvice, `/api/advice/scope?${query}`, signal),
    everyMs: null,
    enabled: isScope,
    initial: (isFirst && scope0) || undefined,
  });
  const skeleton = <SkeletonBlock height={420} />;
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        {/* Another range is another proposal, in the place of what may have been typed. */}
        <TimeRangePicker value={range} onChange={(next) => mayLeave() && set(next)} windows={windows} />
      </PageHeader>
      <TargetForm key={`${namespace}/${workload}`} />
      {asked === null ? (
        <Panel flush>
          <EmptyState
            title={t("empty")}
            action={
              <Link className="link" href={workloadsHref}>
                {t("to-workloads")}
              </Link>
            }
          >
            {t("empty-text")}
          </EmptyState>
        </Panel>
      ) : isScope ? (
        <LiveContent live={scope} unreadable={t("unreadable")} skeleton={skeleton}>
          {(advice) => <ScopePanel key={query} advice={advice} />}
        </LiveContent>
      ) : (
        <LiveContent live={policies} unreadable={t("unreadable")} skeleton={skeleton}>
          {(advice) => (
            <div className={styles.stack}>
              {advice.policies.length === 0 && (
                <Panel flush>
                  <EmptyState title={t("none")}>{t("none-text")}</EmptyState>
                </Panel>
              )}
              {advice.policies.map((policy) => (
                <PolicyPanel key={`${query} ${policy.name}`} policy={policy} range={range} />
              ))}
            </div>
          )}
        </LiveContent>
      )}
    </Page>
  );
}
