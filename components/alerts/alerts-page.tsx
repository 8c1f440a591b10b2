"use client";
import { use } from "react";
import { useTranslations } from "use-intl";
import { type Alerts, wholeMesh } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { newAlertRuleHref } from "../lib/links.ts";
import { IfMay } from "../lib/session.tsx";
import { LiveContent } from "../list/live-content.tsx";
import { Link } from "../ui/link.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { TableSkeleton } from "../ui/skeletons.tsx";
import { Notice } from "../ui/states.tsx";
import { useAlerts } from "./alert-queries.ts";
import styles from "./alerts.module.css";
import { NoticeTable } from "./notice-table.tsx";
import { ReceiversPanel } from "./receivers-panel.tsx";

/** What people are told of: what lasts, what is over, and who is told. */
export function AlertsPage({ initial }: { initial: Promise<Settled<Alerts>> }) {
  const t = useTranslations("alerts");
  const live = useAlerts(use(initial));
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <IfMay as="operator">
          <Link className="link" href={newAlertRuleHref}>
            {t("new-rule")}
          </Link>
        </IfMay>
      </PageHeader>
      <div className={styles.stack}>
        <LiveContent live={live} unreadable={t("unreadable")} skeleton={<TableSkeleton rows={3} columns={7} />}>
          {({ now, active, over, blindSince }) => (
            <>
              {blindSince !== null && (
                <Notice tone="warn">{t.rich("blind", { time: () => <Moment ms={blindSince} /> })}</Notice>
              )}
              <Panel title={t("active")} flush>
                <NoticeTable notices={active} now={now} over={false} />
              </Panel>
              <Panel title={t("over")} flush>
                <NoticeTable notices={over} now={now} over />
              </Panel>
            </>
          )}
        </LiveContent>
        {/* Whose addresses these are is the administrators' business, and only they can change it. */}
        <IfMay as="administrator" namespace={wholeMesh}>
          <ReceiversPanel />
        </IfMay>
      </div>
    </Page>
  );
}
