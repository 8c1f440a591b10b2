"use client";
import { Button } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { use, useState } from "react";
import { useTranslations } from "use-intl";
import type { DesignList, DesignSummary } from "../../server/contract/index.ts";
import { ComparePanel } from "../history/compare-panel.tsx";
import { useMeshPlan } from "../history/use-mesh-plan.tsx";
import type { Settled } from "../lib/api.ts";
import { useChanges, useDesigns } from "../lib/queries.ts";
import { IfMay } from "../lib/session.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { AppliedNotice } from "./applied-notice.tsx";
import { DesignCard } from "./design-card.tsx";
import styles from "./designs.module.css";
import { KeepDialog } from "./keep-dialog.tsx";

/** The catalogue: configurations that are kept under names, what the mesh has otherwise, and two of them beside each other. */
export function DesignsPage({ initial }: { initial: Promise<Settled<DesignList>> }) {
  const t = useTranslations("designs");
  const live = useDesigns(use(initial));
  const plan = useMeshPlan();
  const [keeping, setKeeping] = useState<{ over: DesignSummary | null } | null>(null);
  const newest = useChanges({ sinceMs: 0, limit: 1 }).data?.changes[0]?.revision ?? null;
  const first = live.data?.designs[0];
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <IfMay as="operator" namespace="*">
          <Button
            leftSection={<IconPlus size={15} aria-hidden />}
            onClick={() => setKeeping({ over: null })}
            data-testid="keep-design"
          >
            {t("keep")}
          </Button>
        </IfMay>
      </PageHeader>
      {plan.dialog}
      {keeping && <KeepDialog over={keeping.over} onClose={() => setKeeping(null)} onKept={live.refresh} />}
      {plan.applied && <AppliedNotice key={plan.applied.revision} {...plan.applied} onUndone={plan.forget} />}
      <div className={styles.columns}>
        <Panel title={t("catalogue")} flush>
          <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={6} columns={3} />}>
            {({ designs }) => (
              <ul className={styles.list}>
                {designs.map((design) => (
                  <DesignCard
                    key={design.name}
                    design={design}
                    plan={plan}
                    onReplace={() => setKeeping({ over: design })}
                    onRemoved={live.refresh}
                  />
                ))}
              </ul>
            )}
          </LiveContent>
        </Panel>
        <ComparePanel
          plan={plan}
          newest={newest}
          {...(first && { otherwise: { kind: "design", design: first.name } })}
        />
      </div>
    </Page>
  );
}
