"use client";
import { Button } from "@mantine/core";
import Link from "next/link";
import { useLocale, useTranslations } from "use-intl";
import { type Change, changesBetween, type LoadReport, loadFailures } from "../../server/contract/index.ts";
import { useAuthor, useChangeText } from "../config/change-text.ts";
import { compareHref } from "../lib/links.ts";
import { LiveChart } from "../ui/live-chart.tsx";
import { Panel } from "../ui/panel.tsx";
import { Moment } from "../ui/quantity.tsx";
import { Notice } from "../ui/states.tsx";
import { LatencyTable } from "./latency-table.tsx";
import styles from "./load.module.css";
import { OutcomeKpis } from "./outcome-kpis.tsx";
import { changesDuring, lateMs, outcomesOf, seriesOf, unansweredOf } from "./report-figures.ts";
import { RequestsTable } from "./requests-table.tsx";

export interface ReportPanelProps {
  report: LoadReport;
  /** An earlier one, to be compared with. */
  beside: LoadReport | undefined;
  changes: readonly Change[];
  onAgain(): void;
}

/** What a run found, beside what an earlier one found, and what of the mesh was changed in between. */
export function ReportPanel({ report, beside, changes, onAgain }: ReportPanelProps) {
  const t = useTranslations("load-test");
  const { outcome, plan, startedAt } = report;
  const series = seriesOf(outcome);
  const number = new Intl.NumberFormat(useLocale());
  const whatText = (what: string) => (isWorded(what) ? t(`why-${keyOf(what)}`) : what);
  return (
    <Panel
      title={t("report")}
      hint={`${plan.method} ${plan.url}${plan.headers.host ? ` · ${plan.headers.host}` : ""}`}
      actions={
        <Button size="xs" variant="default" onClick={onAgain} data-testid="load-again">
          {t("again")}
        </Button>
      }
      data-testid="load-report"
    >
      <div className={styles.report}>
        <Notes report={report} />
        <OutcomeKpis outcome={outcome} failing={outcome.due > outcome.ok ? "bad" : "plain"} />
        <p className={styles.outcomes} data-testid="load-outcomes">
          {outcomesOf(outcome).map(({ what, count, failed }) => (
            <span key={what} data-failed={failed || undefined}>
              {whatText(what)} <span className="num">× {number.format(count)}</span>
            </span>
          ))}
        </p>
        <LatencyTable outcome={outcome} beside={beside?.outcome} />
        {outcome.requests.length > 1 && <RequestsTable outcome={outcome} plan={plan} />}
        <div className={styles.charts}>
          <figure>
            <figcaption>{t("chart-requests")}</figcaption>
            <LiveChart
              label={t("chart-requests")}
              kind="rps"
              fromMs={startedAt}
              stepSec={1}
              sync="load-test"
              series={[
                { label: t("ok"), color: "var(--ok)", values: series.answered },
                { label: t("failed-count"), color: "var(--bad)", values: series.failed, fill: true },
              ]}
            />
          </figure>
          <figure>
            <figcaption>{t("chart-latency")}</figcaption>
            <LiveChart
              label={t("chart-latency")}
              kind="ms"
              fromMs={startedAt}
              stepSec={1}
              sync="load-test"
              series={[
                { label: "p50", color: "var(--accent)", values: series.p50 },
                { label: "p99", color: "var(--accent)", values: series.p99, dash: true },
              ]}
            />
          </figure>
        </div>
        <Changes title={t("changes-during")} changes={changesDuring(changes, report)} />
        <p>
          <Link className="link" href={configHrefOf(report, beside)} prefetch={false} data-testid="load-config">
            {t(beside ? "config-both" : "config-then")}
          </Link>
        </p>
        {beside && (
          <Changes
            title={t("changes-between")}
            none={t("changes-none")}
            changes={changesBetween(changes, beside, report)}
          />
        )}
      </div>
    </Panel>
  );
}

type Key<Text extends string> = Text extends `${infer Word} ${infer Rest}` ? `${Word}-${Key<Rest>}` : Text;
type Failure = (typeof loadFailures)[number];
const isWorded = (what: string): what is Failure => (loadFailures as readonly string[]).includes(what);
const keyOf = (what: Failure) => what.replaceAll(" ", "-") as Key<Failure>;

/** The mesh as it was when it began, beside what it was for the other one or is now. */
const configHrefOf = (report: LoadReport, beside: LoadReport | undefined): string => {
  if (!beside) return compareHref(`t${report.startedAt}`, "now");
  const [before, after] = inOrder(beside, report);
  return compareHref(`t${before.startedAt}`, `t${after.startedAt}`);
};

const inOrder = (a: LoadReport, b: LoadReport): [LoadReport, LoadReport] =>
  a.startedAt < b.startedAt ? [a, b] : [b, a];

function Notes({ report: { ended, why, outcome } }: { report: LoadReport }) {
  const t = useTranslations("load-test");
  const unanswered = unansweredOf(outcome);
  const waited = (outcome.failures["not sent"] ?? 0) + (outcome.failures["no connection in time"] ?? 0);
  return (
    <>
      {ended !== "done" && (
        <Notice tone="warn">{ended === "stopped" ? t("was-stopped") : t("has-failed", { why: why ?? "" })}</Notice>
      )}
      {unanswered > 0 && <Notice tone="warn">{t("unanswered", { answered: outcome.answered, unanswered })}</Notice>}
      {waited > 0 && <Notice tone="warn">{t("waited", { count: waited })}</Notice>}
      {outcome.generatorLagMs > lateMs && (
        <Notice tone="warn">{t("late", { ms: Math.round(outcome.generatorLagMs) })}</Notice>
      )}
    </>
  );
}

function Changes({ title, none, changes }: { title: string; none?: string; changes: readonly Change[] }) {
  const textOf = useChangeText();
  const authorOf = useAuthor();
  if (changes.length === 0) return none ? <p className="muted">{none}</p> : null;
  return (
    <section className={styles.changes}>
      <h3>{title}</h3>
      <ul>
        {changes.slice(0, 20).map((change) => (
          <li key={change.revision}>
            <Moment ms={change.at} /> {textOf(change)} <span className="muted">{authorOf(change.author)}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
