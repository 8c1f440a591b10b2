"use client";
import { useTranslations } from "use-intl";
import type { LoadOutcome } from "../../server/contract/index.ts";
import { Kpi, KpiRow } from "../ui/kpi.tsx";
import { NumberWithUnit } from "../ui/quantity.tsx";
import { failedShare } from "./report-figures.ts";

/** How many were answered, failed, and how long they took. `failing` is the tone of failures. */
export function OutcomeKpis({ outcome, failing }: { outcome: LoadOutcome; failing: "warn" | "bad" | "plain" }) {
  const t = useTranslations("load-test");
  return (
    <KpiRow>
      <Kpi label={t("answered")}>
        <NumberWithUnit value={outcome.answeredPerSec} kind="rps" />
      </Kpi>
      <Kpi label={t("failed")} tone={failing}>
        <NumberWithUnit value={failedShare(outcome)} kind="share" />
      </Kpi>
      <Kpi label="p50">
        <NumberWithUnit value={outcome.latency.p50} kind="ms" />
      </Kpi>
      <Kpi label="p99">
        <NumberWithUnit value={outcome.latency.p99} kind="ms" />
      </Kpi>
    </KpiRow>
  );
}
