"use client";
import { Tabs } from "@mantine/core";
import { type ReactNode, use } from "react";
import { useTranslations } from "use-intl";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import tabs from "../service/service-page.module.css";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { sameRange, type TimeRange } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { CertificatesTab } from "./certificates-tab.tsx";
import { CoverageTab } from "./coverage-tab.tsx";
import type { FirstReports } from "./first-reports.ts";
import { MutualTlsTab } from "./mutual-tls-tab.tsx";
import { RefusalsTab } from "./refusals-tab.tsx";
import { RevocationSheet } from "./revocation-sheet.tsx";
import styles from "./security.module.css";
import { type SecurityTab, securityTabs, securityWindowSec, securityWindows, tabOf } from "./security-address.ts";
import { StrictSheet } from "./strict-sheet.tsx";

export interface SecurityPageProps {
  initial: FirstReports;
  initialRange: TimeRange;
  /** What of the address they are of besides its range. */
  initialTargets: { strict: string | null; of: string | null; identity: string | null };
}

/** Who speaks to whom and how, who may, who was refused, and who is known by which certificate. Tab and window are in the URL. */
export function SecurityPage({ initial, initialRange, initialTargets }: SecurityPageProps) {
  const t = useTranslations("security");
  const url = useUrlState();
  const { range, set } = useUrlRange(securityWindowSec);
  const tab = tabOf(url.get("tab"));
  const isFirst = sameRange(range, initialRange);
  /** `name`: of the parameter that it hangs on besides. */
  const first = <T,>(read: Promise<T> | undefined, name?: keyof typeof initialTargets): T | undefined =>
    read && isFirst && (name === undefined || url.get(name) === initialTargets[name]) ? use(read) : undefined;
  const content: Record<SecurityTab, ReactNode> = {
    "mutual-tls": (
      <MutualTlsTab range={range} initial={first(initial.mutualTls)} initialTrend={first(initial.trend, "of")} />
    ),
    coverage: <CoverageTab range={range} initial={first(initial.coverage)} />,
    refusals: <RefusalsTab range={range} initial={first(initial.refusals)} initialPolicies={first(initial.policies)} />,
    certificates: <CertificatesTab initial={first(initial.certificates)} />,
  };
  const strict = tab === "mutual-tls" ? url.get("strict") : null;
  const identity = tab === "certificates" ? url.get("identity") : null;
  return (
    <div className={styles.page}>
      <Page>
        <PageHeader title={t("title")} hint={t("hint")}>
          {tab !== "certificates" && <TimeRangePicker value={range} onChange={set} windows={securityWindows} />}
        </PageHeader>
        <Tabs
          value={tab}
          onChange={(next) => url.set({ tab: next === "mutual-tls" ? null : next }, "push")}
          keepMounted={false}
          classNames={{ list: tabs.list ?? "", tab: tabs.tab ?? "" }}
        >
          <Tabs.List aria-label={t("title")}>
            {securityTabs.map((one) => (
              <Tabs.Tab key={one} value={one} data-testid={`tab-${one}`}>
                {t(`tab-${one}`)}
              </Tabs.Tab>
            ))}
          </Tabs.List>
          <Tabs.Panel value={tab}>{content[tab]}</Tabs.Panel>
        </Tabs>
      </Page>
      {identity && (
        <RevocationSheet key={identity} identity={identity} initial={first(initial.revocation, "identity")} />
      )}
      {strict && <StrictSheet target={strict} range={range} initial={first(initial.strict, "strict")} />}
    </div>
  );
}
