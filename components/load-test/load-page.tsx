"use client";
import { use, useState } from "react";
import { useTranslations } from "use-intl";
import type { LoadTargets, LoadTests } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useChanges } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock, TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import styles from "./load.module.css";
import { draftOf, type LoadDraft, usualDraft } from "./load-draft.ts";
import { LoadForm } from "./load-form.tsx";
import { useLoadReport, useLoadTargets, useLoadTests } from "./load-queries.ts";
import { ReportPanel } from "./report-panel.tsx";
import { ReportsTable } from "./reports-table.tsx";
import { RunningPanel } from "./running-panel.tsx";

export interface LoadPageProps {
  tests: Promise<Settled<LoadTests>>;
  targets: Promise<Settled<LoadTargets>>;
}

/** Load on a gateway or on a service as a workload calls it; what came of it is kept, and compared. */
export function LoadPage(props: LoadPageProps) {
  const t = useTranslations("load-test");
  const url = useUrlState();
  const tests = useLoadTests(use(props.tests));
  const targets = useLoadTargets(use(props.targets));
  const [draft, setDraft] = useState<LoadDraft>(usualDraft);
  const shown = useLoadReport(url.get("test"));
  const beside = useLoadReport(url.get("beside"));
  const changes = useChanges({ sinceMs: 0, limit: 200 }).data?.changes ?? [];
  const running = tests.data?.running ?? null;
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")} />
      <div className={styles.stack}>
        <Panel title={t("new")}>
          <LiveContent live={targets} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={132} />}>
            {(data) =>
              data.targets.length === 0 ? (
                <EmptyState title={t("no-targets")}>{t("no-targets-text")}</EmptyState>
              ) : (
                <LoadForm
                  targets={data.targets}
                  draft={draft}
                  onChange={setDraft}
                  onStarted={tests.refresh}
                  busy={running !== null}
                />
              )
            }
          </LiveContent>
        </Panel>
        {running && <RunningPanel run={running} onChanged={tests.refresh} />}
        {url.get("test") !== null && shown.data === undefined && shown.error?.code === "NOT_FOUND" ? (
          <Panel title={t("report")}>
            <EmptyState title={t("gone")}>{t("gone-text")}</EmptyState>
          </Panel>
        ) : (
          url.get("test") !== null && (
            <LiveContent live={shown} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={420} />}>
              {(report) => (
                <ReportPanel
                  report={report}
                  beside={url.get("beside") === null ? undefined : beside.data}
                  changes={changes}
                  onAgain={() => setDraft(draftOf(report.plan, targets.data?.targets ?? []))}
                />
              )}
            </LiveContent>
          )
        )}
        <Panel title={t("kept")} flush>
          <LiveContent live={tests} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={3} columns={7} />}>
            {({ reports }) => <ReportsTable reports={reports} url={url} onChanged={tests.refresh} />}
          </LiveContent>
        </Panel>
      </div>
    </Page>
  );
}
