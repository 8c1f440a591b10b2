"use client";
import { use } from "react";
import { useTranslations } from "use-intl";
import {
  type MetricCatalog,
  type MetricFunction,
  type MetricInfo,
  type MetricResult,
  metricFunctions,
} from "../../server/contract/index.ts";
import { useChangeMarks } from "../config/change-marks.ts";
import type { Settled } from "../lib/api.ts";
import { useUrlRange } from "../lib/time-range.ts";
import { useUrlState } from "../lib/url-state.ts";
import { LiveContent } from "../list/live-content.tsx";
import { Page, PageHeader } from "../ui/page-header.tsx";
import { Panel } from "../ui/panel.tsx";
import { SkeletonBlock } from "../ui/skeletons.tsx";
import { EmptyState } from "../ui/states.tsx";
import { TimeRangePicker } from "../ui/time-range-picker.tsx";
import { UnrecordedNote } from "../ui/unrecorded.tsx";
import { BreakableName } from "./breakable-name.tsx";
import { MetricControls } from "./metric-controls.tsx";
import { MetricNames } from "./metric-names.tsx";
import { useMetric, useMetricCatalog } from "./metric-queries.ts";
import { MetricView } from "./metric-view.tsx";
import styles from "./metrics.module.css";
import { useEarlier } from "./use-earlier.ts";

const defaultWindowSec = 900;

/** Any metric that was sent, over time and by its labels. All of what is chosen is in the URL. */
export function MetricsPage({ catalog }: { catalog: Promise<Settled<MetricCatalog>> }) {
  const t = useTranslations("metrics");
  const live = useMetricCatalog(use(catalog));
  const { range, set, compare } = useUrlRange(defaultWindowSec);
  const url = useUrlState();
  const asked = url.get("metric");
  return (
    <Page>
      <PageHeader title={t("title")} hint={t("hint")}>
        <TimeRangePicker value={range} onChange={set} compare={compare} />
      </PageHeader>
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={420} />}>
        {({ metrics, full }) => {
          if (metrics.length === 0) return <EmptyState title={t("none")}>{t("none-text")}</EmptyState>;
          const chosen = metrics.find(({ name }) => name === asked);
          return (
            <div className={styles.page}>
              <MetricNames
                metrics={metrics}
                full={full}
                chosen={asked}
                onChoose={(name) =>
                  url.set({ metric: name, fn: null, by: null, service: null, instance: null }, "push")
                }
              />
              {chosen ? (
                <Chosen key={chosen.name} info={chosen} />
              ) : (
                <Panel>
                  {asked ? (
                    <EmptyState title={t("gone", { name: asked })}>{t("gone-text")}</EmptyState>
                  ) : (
                    <EmptyState title={t("choose")}>{t("choose-text")}</EmptyState>
                  )}
                </Panel>
              )}
            </div>
          );
        }}
      </LiveContent>
    </Page>
  );
}

function Chosen({ info }: { info: MetricInfo }) {
  const t = useTranslations("metrics");
  const url = useUrlState();
  const { range, comparison } = useUrlRange(defaultWindowSec);
  const fns: readonly MetricFunction[] = metricFunctions[info.kind];
  const fn = fns.find((one) => one === url.get("fn")) ?? fns[0];
  const by = (url.get("by") ?? "service").split(",").filter(Boolean);
  const query = {
    name: info.name,
    fn,
    by,
    service: url.get("service") ?? undefined,
    instance: url.get("instance") ?? undefined,
  };
  const live = useMetric(query, range);
  const before = useEarlier(query, range, comparison, live.data);
  const marks = useChangeMarks({ sinceMs: live.data?.fromMs ?? 0 });
  return (
    <Panel
      title={
        <span className={styles.title}>
          <BreakableName name={info.name} />
        </span>
      }
      hint={t("series", { count: info.series })}
      data-testid="metric-chosen"
    >
      {info.description && <p className={styles.description}>{info.description}</p>}
      <MetricControls info={info} fn={fn} by={by} />
      <LiveContent live={live} unreadable={t("unreadable")} skeleton={<SkeletonBlock height={240} />}>
        {(result) => (
          <>
            <UnrecordedNote fromMs={result.fromMs} toMs={endOf(result)} gaps={result.gaps} />
            <MetricView result={result} earlier={before} marks={marks} title={info.name} />
          </>
        )}
      </LiveContent>
    </Panel>
  );
}

const endOf = ({ fromMs, stepSec, groups: [first] }: MetricResult): number =>
  fromMs + (first?.values.length ?? 0) * stepSec * 1000;
