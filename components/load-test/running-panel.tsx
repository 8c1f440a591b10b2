"use client";
import { Button, Progress } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { LoadRun } from "../../server/contract/index.ts";
import { Kpi, KpiRow } from "../ui/kpi.tsx";
import { Panel } from "../ui/panel.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { stopLoadTest } from "./load-queries.ts";
import { failedShare } from "./report-figures.ts";

/** The run that goes on, with what it has found so far. */
export function RunningPanel({ run, onChanged }: { run: LoadRun; onChanged(): void }) {
  const t = useTranslations("load-test");
  const total = run.plan.warmUpSec + run.plan.durationSec;
  const { outcome } = run;
  return (
    <Panel
      title={t("running")}
      hint={t("running-hint", { author: run.author, method: run.plan.method, url: run.plan.url })}
      actions={
        <Button
          size="xs"
          variant="default"
          onClick={() => void stopLoadTest().then(onChanged, onChanged)}
          data-testid="load-stop"
        >
          {t("stop")}
        </Button>
      }
      data-testid="load-running"
    >
      <Progress
        value={Math.min(100, (run.elapsedSec / total) * 100)}
        aria-label={t("elapsed", { elapsed: Math.round(run.elapsedSec), total })}
        mb="md"
      />
      <KpiRow>
        <Kpi label={t("answered")}>
          <NumberWithUnit value={outcome.answeredPerSec} kind="rps" />
        </Kpi>
        <Kpi label={t("failed")} tone={outcome.due > outcome.ok + 50 ? "warn" : "plain"}>
          <NumberWithUnit value={failedShare(outcome)} kind="share" />
        </Kpi>
        <Kpi label="p50">
          <NumberWithUnit value={outcome.latency.p50} kind="ms" />
        </Kpi>
        <Kpi label="p99">
          <NumberWithUnit value={outcome.latency.p99} kind="ms" />
        </Kpi>
      </KpiRow>
    </Panel>
  );
}
