"use client";
import { Button, Progress } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { LoadRun } from "../../server/contract/index.ts";
import { useAuthor } from "../config/change-text.ts";
import { Panel } from "../ui/panel.tsx";
import { stopLoadTest } from "./load-queries.ts";
import { OutcomeKpis } from "./outcome-kpis.tsx";

/** The run that goes on, with what it has found so far. */
export function RunningPanel({ run, onChanged }: { run: LoadRun; onChanged(): void }) {
  const t = useTranslations("load-test");
  const authorOf = useAuthor();
  const total = run.plan.warmUpSec + run.plan.durationSec;
  const { outcome } = run;
  return (
    <Panel
      title={t("running")}
      hint={t("running-hint", { author: authorOf(run.author), method: run.plan.method, url: run.plan.url })}
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
      <OutcomeKpis outcome={outcome} failing={outcome.due > outcome.ok + 50 ? "warn" : "plain"} />
    </Panel>
  );
}
