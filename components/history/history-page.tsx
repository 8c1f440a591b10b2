"use client";
import { Button } from "@mantine/core";
import { use, useState } from "react";
import { useTranslations } from "use-intl";
import type { ChangeList } from "../../server/contract/index.ts";
import { ChangeRows } from "../config/change-rows.tsx";
import { useUndoButtons } from "../config/undo-button.tsx";
import type { Settled } from "../lib/api.ts";
import { useChanges, useHistory } from "../lib/queries.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { NoMatch } from "../list/no-match.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { ComparePanel } from "./compare-panel.tsx";
import styles from "./history.module.css";
import { HistoryFilters } from "./history-filters.tsx";
import { historyParams, historyQuery } from "./history-query.ts";
import { RevisionMenu } from "./revision-menu.tsx";
import { useMeshPlan } from "./use-mesh-plan.tsx";

const step = 50;
const most = 500;

export interface HistoryPageProps {
  /** What the server read for the address as it was opened. */
  initial: Promise<Settled<ChangeList>>;
  initialQuery: Record<string, string>;
}

/** Who changed what and when, two moments of the mesh beside each other, and every way back. Filters and sides are in the URL. */
export function HistoryPage({ initial, initialQuery }: HistoryPageProps) {
  const t = useTranslations("history");
  const url = useUrlState();
  const first = use(initial);
  const [limit, setLimit] = useState(step);
  const asked = historyQuery(url.get, limit);
  const isFirst = JSON.stringify(asked) === JSON.stringify(initialQuery);
  const live = useHistory(asked, isFirst ? first : undefined);
  // Until they are here, what the list itself shows tells which changes were written over.
  const known = useChanges({ sinceMs: 0, limit: most }).data?.changes ?? live.data?.changes ?? [];
  const undo = useUndoButtons(known);
  const plan = useMeshPlan();
  const filtered = historyParams.some((name) => url.get(name));
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <Button component="a" href="/api/mesh" download data-testid="export-mesh">
          {t("export")}
        </Button>
      </PageHeader>
      {undo.dialog}
      {plan.dialog}
      <HistoryFilters authors={[...new Set(known.map(({ author }) => author))].toSorted()} />
      <div className={styles.columns}>
        <Panel title={t("changes")} flush data-testid="history">
          <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={10} columns={4} />}>
            {({ changes, next }) => (
              <>
                {changes.length === 0 ? (
                  <Nothing filtered={filtered} />
                ) : (
                  <ChangeRows
                    changes={changes}
                    actions={(change) => (
                      <>
                        {undo.button(change)}
                        <RevisionMenu change={change} onRestore={plan.restore} />
                      </>
                    )}
                  />
                )}
                {next != null && limit < most && (
                  <p className={styles.more}>
                    <Button variant="subtle" size="compact-sm" onClick={() => setLimit(Math.min(limit + step, most))}>
                      {t("older")}
                    </Button>
                  </p>
                )}
              </>
            )}
          </LiveContent>
        </Panel>
        {/* From the server's own list at first, so that nothing moves when the browser's comes. */}
        <ComparePanel plan={plan} newest={known[0]?.revision ?? live.data?.changes[0]?.revision ?? null} />
      </div>
    </Page>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const t = useTranslations("history");
  if (filtered) return <NoMatch title={t("no-match")} filters={historyParams} />;
  return <EmptyState title={t("empty")}>{t("empty-text")}</EmptyState>;
}
