"use client";
import { useTranslations } from "use-intl";
import type { CoverageReport } from "../../server/contract/index.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Panel } from "../ui/panel.tsx";
import { PillButton } from "../ui/pill.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import type { TimeRange } from "../ui/time-range.ts";
import { CoverageList } from "./coverage-list.tsx";
import { CoverageMatrix } from "./coverage-matrix.tsx";
import { PairPanel } from "./pair-panel.tsx";
import styles from "./security.module.css";
import { useCoverage } from "./security-queries.ts";

const views = ["matrix", "list"] as const;

/** Who called whom, how, and what policies say of it; who else could. A matrix, and the same as a list. */
export function CoverageTab({ range, initial }: { range: TimeRange; initial: Settled<CoverageReport> | undefined }) {
  const t = useTranslations("security");
  const url = useUrlState();
  const live = useCoverage(range, initial);
  const view = url.get("view") === "list" ? "list" : "matrix";
  return (
    <Panel
      flush
      title={t("coverage")}
      actions={
        <div className={styles.views}>
          {views.map((one) => (
            <PillButton
              key={one}
              pressed={view === one}
              onClick={() => url.set({ view: one === "list" ? one : null })}
              data-testid={`coverage-${one}`}
            >
              {t(`view-${one}`)}
            </PillButton>
          ))}
        </div>
      }
    >
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={420} />}>
        {(report) => <Covered report={report} view={view} />}
      </LiveContent>
    </Panel>
  );
}

function Covered({ report, view }: { report: CoverageReport; view: (typeof views)[number] }) {
  const t = useTranslations("security");
  const url = useUrlState();
  const pair = url.get("pair");
  const chosen = report.calls.find(({ caller, called }) => `${caller}>${called}` === pair);
  const { evidence, unguarded } = report;
  if (report.calls.length === 0) return <EmptyState title={t("no-calls")}>{t("no-calls-text")}</EmptyState>;
  return (
    <>
      {!evidence.complete && (
        <p className={`${styles.padded} ${styles.quiet}`}>
          {t("incomplete", { lines: evidence.lines, calls: evidence.calls })}
        </p>
      )}
      {unguarded.length > 0 && (
        <p className={styles.padded}>
          <span className={styles.quiet}>{t("unguarded", { count: unguarded.length })}</span>{" "}
          {unguarded.map((app) => app.split("/", 2)[1]).join(", ")}
        </p>
      )}
      {chosen && <PairPanel call={chosen} onClose={() => url.set({ pair: null })} />}
      {view === "matrix" && <CoverageMatrix report={report} chosen={pair} />}
      <div className={view === "matrix" ? styles.narrowOnly : undefined}>
        <CoverageList report={report} />
      </div>
    </>
  );
}
