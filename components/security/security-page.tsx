"use client";
import { Tabs } from "@mantine/core";
import { type ReactNode, use } from "react";
import { useTranslations } from "use-intl";
import type { MutualTlsReport } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import tabs from "../service/service-page.module.css";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { sameRange, type TimeRange } from "../ui/time-range.ts";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { CertificatesTab } from "./certificates-tab.tsx";
import { CoverageTab } from "./coverage-tab.tsx";
import { MutualTlsTab } from "./mutual-tls-tab.tsx";
import { RefusalsTab } from "./refusals-tab.tsx";
import { RevocationSheet } from "./revocation-sheet.tsx";
import styles from "./security.module.css";
import { type SecurityTab, securityTabs, securityWindowSec, securityWindows } from "./security-window.ts";
import { StrictSheet } from "./strict-sheet.tsx";

export interface SecurityPageProps {
  /** Of the first tab; null: another one was asked for. */
  initial: Promise<Settled<MutualTlsReport>> | null;
  initialRange: TimeRange;
}

/** Who speaks to whom and how, who may, who was refused, and who is known by which certificate. Tab and window are in the URL. */
export function SecurityPage({ initial, initialRange }: SecurityPageProps) {
  const t = useTranslations("security");
  const url = useUrlState();
  const { range, set } = useUrlRange(securityWindowSec);
  const first = initial === null ? undefined : use(initial);
  const tab = securityTabs.find((one) => one === url.get("tab")) ?? "mutual-tls";
  const content: Record<SecurityTab, ReactNode> = {
    "mutual-tls": <MutualTlsTab range={range} initial={sameRange(range, initialRange) ? first : undefined} />,
    coverage: <CoverageTab range={range} />,
    refusals: <RefusalsTab range={range} />,
    certificates: <CertificatesTab />,
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
      {identity && <RevocationSheet key={identity} identity={identity} />}
      {strict && <StrictSheet target={strict} range={range} />}
    </div>
  );
}
